package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/daemon"
	"github.com/postrider/postrider/internal/forge/inbound"
	"github.com/postrider/postrider/internal/secret"
)

// webhookSecret is the variable that holds the secrets of webhooks.
const webhookSecret = "POSTRIDER_WEBHOOK_SECRET"

// daemonFlags are the flags of daemon.
type daemonFlags struct {
	sites     string
	state     string
	listen    string
	branch    string
	fetch     time.Duration
	parallel  int
	logFormat string
	sending   sendFlags
}

func (a *app) daemonCommand() *cobra.Command {
	var f daemonFlags
	cmd := &cobra.Command{
		Use:     "daemon",
		GroupID: groupPublish,
		Short:   "Publish each post at its second, for as long as it runs",
		Long: `Daemon does what publish does, whenever there is something to do: it sends each merged post at the
second at which it is due, fetches at intervals, and at once when a webhook of GitHub, GitLab, Gitea or
Forgejo tells of a push.

With --sites it does so for many repositories, each with secrets of its own, and none in the way of another.
A hangup signal (SIGHUP) has it read the sites file and the files with secrets anew.

It serves /hook for webhooks that are signed with the secret in POSTRIDER_WEBHOOK_SECRET, and for those
who watch over it /healthz, /readyz and /metrics.

An interrupt lets deliveries in flight end and records them; a second one ends at once. Several daemons,
and cron jobs beside them, are safe on one repository: the ledger decides who sends what.`,
		Example: `  postrider daemon
  POSTRIDER_WEBHOOK_SECRET=… postrider daemon --listen 0.0.0.0:8337 --fetch 5m
  postrider daemon --sites /etc/postrider/sites.yaml --state /var/lib/postrider`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			if err := exclusive(cmd, "sites", "branch"); err != nil {
				return err
			}
			return a.daemon(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8337", "serve webhooks, health and metrics at `ADDRESS`; none: do not")
	flags.StringVar(&f.sites, "sites", "", "publish from all sites of a sites `FILE` instead of the one in this folder")
	flags.StringVar(&f.state, "state", a.Getenv("STATE_DIRECTORY"), "keep clones of sites that have a url in `DIR` (as STATE_DIRECTORY does)")
	flags.Lookup("state").DefValue = ""
	flags.StringVar(&f.branch, "branch", "", "the publishing `BRANCH`, instead of site.yaml's or the remote's default")
	flags.DurationVar(&f.fetch, "fetch", time.Minute, "ask the remote for news every `DURATION`")
	flags.IntVar(&f.parallel, "parallel", 8, "how many sites work at once, at most `N`")
	flags.StringVar(&f.logFormat, "log-format", "text", "write the log as `FORMAT`: text or json")
	f.sending.add(cmd)
	return cmd
}

func (f *daemonFlags) check(cmd *cobra.Command) error {
	switch {
	case f.fetch < time.Second:
		return usagef(cmd, "takes a --fetch of a second or more, such as 1m")
	case f.parallel < 1:
		return usagef(cmd, "takes a --parallel of 1 or more")
	case f.logFormat != "text" && f.logFormat != "json":
		return usagef(cmd, "--log-format is text or json, not %q", f.logFormat)
	}
	return f.sending.check(cmd)
}

// restfulCollections is how much the heap of the daemon grows between collections, in percent: it lives for months beside other programs, and
// nothing waits for it.
const restfulCollections = 50

// daemon publishes until it is interrupted.
func (a *app) daemon(ctx context.Context, f daemonFlags) error {
	level := slog.LevelInfo
	if a.verbose {
		level = slog.LevelDebug
	}
	a.log = a.logAs(f.logFormat, level)
	sites, err := a.daemonSites(f)
	if err != nil {
		return err
	}
	hook := inbound.New(inbound.Options{Secrets: webhookSecrets(a.lookup, webhookSecret), Now: a.Now})
	d := daemon.New(daemon.Options{Parallel: f.parallel, Hook: hook, Version: buildVersion().String(), Now: a.Now, Wait: a.Wait, Log: a.log, Scrub: a.scrub})
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	stop := make(chan struct{})
	if f.listen == "none" {
		a.log.Info("the daemon begins", "sites", len(sites))
		go func() { <-a.stop; close(stop) }()
	} else {
		l, err := a.listenAt(ctx, f.listen)
		if err != nil {
			return err
		}
		a.printf("http://%s/\n", l.Addr())
		a.log.Info("the daemon begins", "sites", len(sites), "listen", l.Addr().String())
		go a.serveUntilStopped(ctx, l, d, stop, fail)
	}
	debug.SetGCPercent(restfulCollections) // collectLate is for verbs that live for seconds
	a.graceful()
	if a.Hangup != nil {
		go a.reloads(ctx, f, d, hook, a.Hangup())
	}
	d.Run(ctx, stop, sites)
	a.log.Info("the daemon ends")
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return nil
}

// reloads reads the files anew whenever it is asked to. What is wrong with them leaves everything as it is.
func (a *app) reloads(ctx context.Context, f daemonFlags, d *daemon.Daemon, hook *inbound.Receiver, asked <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
		}
		sites, err := a.daemonSites(f)
		if err != nil {
			a.log.Error("the files are not taken over, and everything stays as it was", "err", err)
			continue
		}
		hook.Rotate(webhookSecrets(a.lookup, webhookSecret))
		d.Reload(ctx, sites)
		a.log.Info("the files were read anew", "sites", len(sites))
	}
}

// serveUntilStopped serves the daemon's addresses. When the program is asked to end, it stops listening first, and then closes stop.
func (a *app) serveUntilStopped(ctx context.Context, l net.Listener, d *daemon.Daemon, stop chan<- struct{}, fail context.CancelCauseFunc) {
	web := &http.Server{
		Handler: d.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 1 << 16, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- web.Serve(l) }()
	select {
	case err := <-served:
		fail(fmt.Errorf("serve webhooks and health: %w", err))
		return
	case <-ctx.Done():
		web.Close() //nolint:errcheck // everything ends
		return
	case <-a.stop:
	}
	d.Drain()
	l.Close() //nolint:errcheck // closed once more below
	close(stop)
	end, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := web.Shutdown(end); err != nil {
		web.Close() //nolint:errcheck // whoever still reads is cut off
	}
}

// listenAt opens the port of the daemon.
func (a *app) listenAt(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, &usageError{msg: fmt.Sprintf("cannot listen on %s: it is in use", address), hint: "another program, perhaps another daemon, listens there; --listen takes another address, such as 127.0.0.1:8338, or none"}
	case err != nil:
		return nil, &usageError{msg: fmt.Sprintf("cannot listen on %s: %v", address, err), hint: "--listen takes an address and a port, such as 127.0.0.1:8337"}
	}
	return l, nil
}

// webhookSecrets looks up the secret in a variable, and that before it in NAME_OLD: while one is exchanged for the other, both are good.
func webhookSecrets(lookup func(string) string, name string) []secret.String {
	return []secret.String{secret.New(lookup(name)), secret.New(lookup(name + "_OLD"))}
}
