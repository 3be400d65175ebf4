package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/preview"
	"github.com/postrider/postrider/internal/publish"
	"github.com/postrider/postrider/internal/site"
)

// previewPort is the port of the preview, unless told otherwise.
const previewPort = 1313

// readingCollections is how much the heap of the preview grows between collections while it reads the site, in percent.
const readingCollections = 40

// collections returns how much the heap of the preview grows between collections from then on, in percent: 10 up to 10,000 posts, 100 from
// 46,000 on. It lives all day beside an editor, so memory counts for more than time. But a collection takes the longer the more there is, and
// whoever asks for a page meanwhile does a part of it, the larger the less room is left: with tens of thousands of posts there must be room for
// hundreds of pages, until nobody asks and the preview tidies up.
func collections(posts int) int { return min(10+max(0, posts-10_000)/400, 100) }

// latestResults is how many results the preview lists as what went out last.
const latestResults = 60

// previewFlags are the flags of preview.
type previewFlags struct {
	bind     string
	port     int
	open     bool
	drafts   bool
	readOnly bool
}

func (a *app) previewCommand() *cobra.Command {
	var f previewFlags
	cmd := &cobra.Command{
		Use:     "preview",
		Aliases: []string{"serve", "server"},
		GroupID: groupWrite,
		Short:   "Show every post as each network will, live as you type",
		Long: `Preview serves the site in this folder on this machine: today, all posts, a calendar, campaigns,
problems, accounts, and each post as each of its networks will show it. A page that is open follows the
files: save a post in any editor, and it shows that.

It reads no secret and sends nothing. What it writes is what you do in it: a new post, and a new time for
one, which changes the line of publish_at and nothing else. --read-only switches that off.

Only this machine can look, unless --bind says otherwise; then the address has a key in it that changes
with every start.

A site's own templates/preview/NAME.html replaces the program's template of that name.`,
		Example: `  postrider preview
  postrider preview --open
  postrider preview --bind 0.0.0.0 --read-only`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.preview(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.bind, "bind", "127.0.0.1", "the `ADDRESS` to listen on")
	flags.IntVar(&f.port, "port", previewPort, "the `PORT` to listen on, 0 for any that is free")
	flags.BoolVar(&f.open, "open", false, "open it in the browser")
	flags.BoolVar(&f.drafts, "drafts", true, "show drafts in the calendar")
	flags.BoolVar(&f.readOnly, "read-only", false, "change no file")
	return cmd
}

// preview serves until it is interrupted.
func (a *app) preview(ctx context.Context, f previewFlags) error {
	dir, err := a.previewDir()
	if err != nil {
		return err
	}
	listener, err := a.listen(ctx, f)
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck // closed by the server as a rule
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()                     //nolint:errcheck // its files are closed one by one
	debug.SetGCPercent(readingCollections) // collectLate is for verbs that live for seconds
	o := preview.Options{
		Root: root, Registry: a.Registry, Drafts: f.drafts, ReadOnly: f.readOnly, Now: a.Now, Wait: a.Wait, Log: a.log,
		Loaded: func(posts int) { debug.SetGCPercent(collections(posts)) },
	}
	host := "localhost"
	if !isLoopback(f.bind) {
		o.Key = preview.NewKey()
		if host = f.bind; host == "0.0.0.0" || host == "::" || host == "" {
			if host, err = os.Hostname(); err != nil {
				host = "localhost"
			}
		}
	}
	repo, err := a.openGit(dir)
	if err == nil {
		defer repo.Close() //nolint:errcheck // only read from
		o.Ledger, o.Authors = a.library(repo, dir, "", latestResults), a.authors(repo, dir)
	}
	server, err := preview.New(o)
	if err != nil {
		return err
	}

	address := "http://" + net.JoinHostPort(host, strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)) + "/"
	if o.Key != "" {
		address += "?key=" + o.Key
	}
	a.printf("%s\n", address)
	a.notef("The preview of %s follows its files. Ctrl-C ends it.\n", a.shown(dir))
	if f.open {
		if err := openBrowser(ctx, address); err != nil {
			a.notef("the browser could not be opened: %v\n", err)
		}
	}
	a.graceful()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	web := &http.Server{Handler: server.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 1 << 16}
	failed := make(chan error, 2)
	go func() { failed <- server.Run(ctx) }()
	go func() { failed <- web.Serve(listener) }()
	select {
	case <-a.stop:
		err = nil
	case <-ctx.Done():
		err = nil
	case err = <-failed:
	}
	cancel()
	end, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer done()
	if e := web.Shutdown(end); e != nil {
		web.Close() //nolint:errcheck // whoever still reads is cut off
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// previewDir finds the site's folder: the one that has a site.yaml, else the folder to work in, of which the preview
// says how to begin.
func (a *app) previewDir() (string, error) {
	dir, err := a.safeSiteDir()
	if _, none := errors.AsType[*noSiteError](err); none {
		return a.dir, nil
	}
	return dir, err
}

// listen opens the port, or says which one is free.
func (a *app) listen(ctx context.Context, f previewFlags) (net.Listener, error) {
	if f.port < 0 || f.port > 65535 {
		return nil, &usageError{msg: fmt.Sprintf("--port %d is no port", f.port), hint: "ports go from 1 to 65535; 0 takes any that is free"}
	}
	var lc net.ListenConfig
	at := func(port int) (net.Listener, error) {
		return lc.Listen(ctx, "tcp", net.JoinHostPort(f.bind, strconv.Itoa(port)))
	}
	l, err := at(f.port)
	if err == nil {
		return l, nil
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return nil, &usageError{msg: fmt.Sprintf("cannot listen on %s: %v", net.JoinHostPort(f.bind, strconv.Itoa(f.port)), err)}
	}
	hint := "another program, perhaps another preview, listens there; --port 0 takes any port that is free"
	for port := f.port + 1; port <= min(f.port+20, 65535); port++ {
		if l, err := at(port); err == nil {
			hint = fmt.Sprintf("another program, perhaps another preview, listens there; `postrider preview --port %d` takes the next one that is free", port)
			l.Close() //nolint:errcheck // it was only tried
			break
		}
	}
	return nil, &usageError{msg: fmt.Sprintf("port %d is in use", f.port), hint: hint}
}

func isLoopback(bind string) bool {
	ip := net.ParseIP(bind)
	return bind == "localhost" || ip != nil && ip.IsLoopback()
}

// library reads what this clone knows of the ledger, without asking the remote, with so many of its latest results. branch is that which is
// published; empty: the one that site.yaml or git says.
func (a *app) library(repo *gitrepo.Repo, dir, branch string, most int) func(context.Context, string) (*preview.Book, error) {
	return func(ctx context.Context, tip string) (*preview.Book, error) {
		prefix, err := repo.Prefix(dir)
		if err != nil {
			return nil, err
		}
		desk, err := publish.Open(ctx, publish.OpenOptions{
			Repo: repo, Prefix: prefix, Branch: branch, Offline: true, NoCache: true, Registry: a.Registry, Env: func(string) string { return "" },
			Version: buildVersion().String(), Backlog: plan.BacklogStop, Now: a.Now, Wait: a.Wait, Log: a.log, OwnerDead: ownerDead,
		})
		if errors.Is(err, publish.ErrNothingCommitted) {
			if tip == noLedger {
				return nil, nil
			}
			return &preview.Book{View: ledger.Memory{}, Tip: noLedger}, nil
		}
		if err != nil {
			return nil, err
		}
		now := string(desk.Ledger.Tip())
		if now == "" {
			now = noLedger
		}
		if now == tip {
			return nil, nil
		}
		view, err := desk.Ledger.View()
		if err != nil {
			return nil, err
		}
		latest, err := view.Latest(most)
		if err != nil {
			return nil, err
		}
		return &preview.Book{View: ledger.Shared(view), Latest: latest, Tip: now}, nil
	}
}

// noLedger stands for the tip of a ledger that does not exist yet.
const noLedger = "none"

// authors finds out from git who has written what.
func (a *app) authors(repo *gitrepo.Repo, dir string) func(context.Context) (map[string]string, error) {
	return func(ctx context.Context) (map[string]string, error) {
		prefix, err := repo.Prefix(dir)
		if err != nil {
			return nil, err
		}
		_, head, err := repo.Head()
		if err != nil || head == "" {
			return nil, err
		}
		return repo.Authors(ctx, head, path.Join(prefix, site.ContentDir))
	}
}

// openBrowser opens an address in the browser of whoever sits here.
func openBrowser(ctx context.Context, address string) error {
	name, args := "xdg-open", []string{address}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), name, args...)
	if err := cmd.Start(); err != nil {
		return err
	}
	go cmd.Wait() //nolint:errcheck // it opens what it can
	return nil
}
