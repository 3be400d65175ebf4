package servers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// webhookSecret is what the code host signs its webhooks with.
const webhookSecret = "webhooks of Gitea, for tests only"

// deploy returns a clone as a server has one: its remote is the code host, whose password is not in it, and it may push in the robot's name.
func (f *forgeWorld) deploy(remote string) *clone {
	f.t.Helper()
	c := f.clone()
	c.git(c.dir, "remote", "set-url", "origin", remote+"/"+siteRepo+".git")
	w := *f.world
	w.secrets = map[string]string{
		"POSTRIDER_GIT_TOKEN": f.gitea.Tokens[robot], "POSTRIDER_WEBHOOK_SECRET": webhookSecret,
		"POSTRIDER_FORGE": "gitea", "POSTRIDER_FORGE_TOKEN": f.gitea.Tokens[robot], // for the status of what is published
	}
	for name, value := range f.secrets {
		w.secrets[name] = value
	}
	return &clone{&w, c.dir}
}

// daemon is the real program as a daemon.
type daemon struct {
	*clone
	p    *process
	URL  string
	stop context.CancelFunc
}

// daemon starts the daemon, which fetches at its start and then only when a webhook tells it to.
func (c *clone) daemon() *daemon {
	c.t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(c.t.Context()))
	g := program{
		name: "daemon", dir: c.t.TempDir(), grace: stopGrace, env: c.command().Env,
		argv: []string{builtProgram(c.t), "--dir", c.dir, "daemon", "--listen", "127.0.0.1:0", "--fetch", "24h", "--log-format", "json"},
	}
	p, err := g.start(ctx)
	if err != nil {
		stop()
		c.t.Fatal(err)
	}
	d := &daemon{clone: c, p: p, stop: stop}
	c.t.Cleanup(func() {
		d.end()
		if c.t.Failed() {
			c.t.Logf("the daemon wrote:\n%s", p.tail())
		}
	})
	ready, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	line, err := p.firstLineOf(ready)
	if err != nil {
		c.t.Fatal(err)
	}
	d.URL = strings.TrimSuffix(line, "/")
	if err := p.answers(ready, &http.Client{}, d.URL+"/readyz"); err != nil {
		c.t.Fatal(err)
	}
	return d
}

// end asks the daemon to end, which it must do well, without having told a secret.
func (d *daemon) end() {
	d.t.Helper()
	d.stop()
	<-d.p.ended
	if code := d.p.cmd.ProcessState.ExitCode(); code != 0 {
		d.t.Errorf("the daemon ends with %d (%v)", code, d.p.err)
	}
	log, err := os.ReadFile(d.p.log)
	if err != nil {
		d.t.Error(err)
	}
	for name, value := range d.secrets {
		if bytes.Contains(log, []byte(value)) {
			d.t.Errorf("the daemon's log has the secret of %s", name)
		}
	}
}

// said is a line of the daemon's log.
type said struct {
	Time                                          time.Time
	Msg, Result, Delivery, Ref, Commit, Post, Err string
}

// log returns what the daemon has said so far.
func (d *daemon) log() (lines []said) {
	d.t.Helper()
	b, err := os.ReadFile(d.p.log)
	if err != nil {
		d.t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var s said
		if json.Unmarshal(line, &s) == nil {
			lines = append(lines, s)
		}
	}
	return lines
}

// waitFor waits until the daemon has said something, and returns it.
func (d *daemon) waitFor(what string, fits func(said) bool) (found said) {
	d.t.Helper()
	eventually(d.t, func() error {
		for _, s := range d.log() {
			if fits(s) {
				found = s
				return nil
			}
		}
		return fmt.Errorf("the daemon has not said %s:\n%s", what, d.p.tail())
	})
	return found
}
