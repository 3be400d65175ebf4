package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/bucket/fakebucket"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/sandbox"
)

// clock is what the networks of a script show; `clock TIME` sets it together with the program's.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// TestPublishScripts runs the scripts that publish, each with networks of its own.
func TestPublishScripts(t *testing.T) {
	type boxKey struct{}
	type world struct {
		box    *sandbox.Sandbox
		bucket *fakebucket.Server
		clock  *clock
		web    *web
		host   *codeHost
		chat   *chat
	}
	network := func(ts *testscript.TestScript, name string) *sandbox.Running {
		for _, r := range ts.Value(boxKey{}).(*world).box.Networks() {
			if string(r.ID) == name {
				return r
			}
		}
		ts.Fatalf("there is no network %q", name)
		return nil
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/publish",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			w := &world{web: newWeb(env), clock: &clock{now: time.Date(2026, 12, 1, 8, 5, 0, 0, time.UTC)}, host: &codeHost{}, chat: &chat{}}
			server := httptest.NewServer(w.host)
			env.Defer(server.Close)
			env.Setenv("CODEHOST", server.URL)
			channel := httptest.NewServer(w.chat)
			env.Defer(channel.Close)
			env.Setenv("CHAT", channel.URL)
			ids := []platform.ID{"bluesky", "facebook", "instagram", "linkedin", "mastodon", "threads", "webhook", "x"}
			box, err := sandbox.Start(t.Context(), sandbox.Options{
				Registry: adapters.All(), Platforms: ids, Address: "127.0.0.1:0", Now: w.clock.Now,
				Handles: map[platform.ID]string{"bluesky": "acme.example", "facebook": "Acme", "instagram": "acme", "linkedin": "Anna Acme", "mastodon": "acme", "threads": "acme", "x": "acme"},
			})
			if err != nil {
				return err
			}
			w.box = box
			env.Defer(func() { box.Close() })
			env.Values[boxKey{}] = w
			w.bucket = fakebucket.New(fakebucket.Config{Name: "acme-social", KeyID: "AKIAPOSTRIDERTEST", Region: "us-east-1", Now: w.clock.Now})
			service := httptest.NewServer(w.bucket)
			env.Defer(service.Close)
			env.Setenv("BUCKET", service.URL)
			env.Setenv("POSTRIDER_MEDIA_ACCESS_KEY_ID", "AKIAPOSTRIDERTEST")
			env.Setenv("POSTRIDER_MEDIA_SECRET_ACCESS_KEY", "secret-of-the-bucket")
			accounts := map[platform.ID]string{"bluesky": "bluesky", "facebook": "page", "instagram": "photos", "linkedin": "me", "mastodon": "fedi", "threads": "threads", "webhook": "hook", "x": "x"}
			for _, r := range box.Networks() {
				env.Setenv(strings.ToUpper(string(r.ID)), r.Base+r.Path)
				for name, value := range r.Secrets {
					env.Setenv(platform.EnvName(accounts[r.ID], name), value)
				}
			}
			for key, value := range map[string]string{
				"POSTRIDER_BROWSER": "none", "HOME": env.WorkDir, "TZ": "Europe/Berlin", "NOW": w.clock.Now().Format(time.RFC3339), "GIT_CONFIG_NOSYSTEM": "1",
				"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
			} {
				env.Setenv(key, value)
			}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits,
			"png":   writePNG,
			// clock TIME: what the program and the networks take for now.
			"clock": func(ts *testscript.TestScript, _ bool, args []string) {
				now, err := time.Parse(time.RFC3339, args[0])
				ts.Check(err)
				ts.Value(boxKey{}).(*world).clock.Set(now)
				ts.Setenv("NOW", args[0])
			},
			// chat N, chat down, chat up: see chat.script.
			"chat": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Value(boxKey{}).(*world).chat.script(ts, args)
			},
			// codehost comment|statuses|issues: prints the comment on the pull request, the statuses of its commits, or its issues. down and up:
			// whether it answers. merged MERGE HEAD, review NAME STATE COMMIT: what became of it; a commit is a file that holds its id. asked N:
			// so many requests. attached NAME: what the run of the check has attached.
			"codehost": func(ts *testscript.TestScript, _ bool, args []string) {
				h := ts.Value(boxKey{}).(*world).host
				h.mu.Lock()
				defer h.mu.Unlock()
				switch args[0] {
				case "comment":
					ts.Check(os.WriteFile(ts.MkAbs("comment.md"), []byte(h.comment), 0o600))
				case "suggestions":
					ts.Check(os.WriteFile(ts.MkAbs("suggestions.md"), []byte(strings.Join(h.lines.bodies, "\n")), 0o600))
				case "diff": // of content/news.md, as the pull request shows it
					h.lines.diff = ts.ReadFile(args[1])
				case "refuse": // comments on lines, but no others
					h.lines.refuse = true
				case "attached":
					h.attached = args[1]
				case "issues":
					ts.Check(os.WriteFile(ts.MkAbs("issues.txt"), []byte(h.tracker.String()), 0o600))
				case "statuses":
					ts.Check(os.WriteFile(ts.MkAbs("statuses.txt"), []byte(strings.Join(h.statuses, "")), 0o600))
				case "merged":
					h.merge, h.head = commitIn(ts, args[1]), commitIn(ts, args[2])
				case "review":
					h.reviews = append(h.reviews, strings.Join([]string{args[1], args[2], commitIn(ts, args[3])}, " "))
				case "asked":
					if got := strconv.Itoa(h.asked); got != args[1] {
						ts.Fatalf("the code host was asked %s times", got)
					}
				default:
					h.down = args[0] == "down"
				}
			},
			"expand": expand,
			// fault NETWORK NAME: the next creating request there fails like that.
			"fault": func(ts *testscript.TestScript, _ bool, args []string) {
				network(ts, args[0]).Fake.Inject(fakenet.Plan{Fault: fakenet.Fault(args[1]), Hang: 10 * time.Millisecond})
			},
			"page": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Value(boxKey{}).(*world).web.page(ts, args)
			},
			// created NETWORK N: so many posts were ever created there.
			"created": func(ts *testscript.TestScript, _ bool, args []string) {
				want, err := strconv.Atoi(args[1])
				ts.Check(err)
				if got := network(ts, args[0]).Fake.Creations(); got != want {
					ts.Fatalf("%d posts were created on %s, want %d", got, args[0], want)
				}
			},
			// bucket empty: nothing is in the bucket. bucket leftover TIME: a run that died then has left something there.
			"bucket": func(ts *testscript.TestScript, _ bool, args []string) {
				bucket := ts.Value(boxKey{}).(*world).bucket
				if args[0] == "leftover" {
					at, err := time.Parse(time.RFC3339, args[1])
					ts.Check(err)
					bucket.Place("postrider/"+strings.Repeat("0", 64)+".jpg", fakebucket.Object{Type: "image/jpeg", Modified: at})
					return
				}
				if n := len(bucket.Objects()); n > 0 {
					ts.Fatalf("the bucket has %d objects", n)
				}
			},
			// vanish: somebody deletes all posts on the Mastodon server, in its own web page.
			"vanish": func(ts *testscript.TestScript, _ bool, _ []string) {
				for _, p := range network(ts, "mastodon").Fake.Posts() {
					req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, ts.Getenv("MASTODON")+"/api/v1/statuses/"+p.ID, nil)
					ts.Check(err)
					req.Header.Set("Authorization", "Bearer "+ts.Getenv("POSTRIDER_FEDI_ACCESS_TOKEN"))
					resp, err := http.DefaultClient.Do(req)
					ts.Check(err)
					resp.Body.Close() //nolint:errcheck // only its status counts
					if resp.StatusCode != http.StatusOK {
						ts.Fatalf("deleting %s: %s", p.ID, resp.Status)
					}
				}
			},
			// damage DIR ID: the file of a record in a checked-out ledger becomes garbage.
			"damage": func(ts *testscript.TestScript, _ bool, args []string) {
				files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*", "*", args[1]+".*"))
				ts.Check(err)
				if len(files) != 1 {
					ts.Fatalf("%d files for %s", len(files), args[1])
				}
				ts.Check(os.WriteFile(files[0], []byte("<<<<<<< HEAD\n"), 0o600))
			},
			// pages DIR: serves the files of a folder at $WEB, too.
			"pages": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Value(boxKey{}).(*world).web.pages(ts, args)
			},
			// visited N: so many requests came to $WEB since this was asked last.
			"visited": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Value(boxKey{}).(*world).web.visited(ts, args)
			},
			// shows NETWORK TEXT: one post that is there now holds the text.
			"shows": func(ts *testscript.TestScript, neg bool, args []string) {
				var all []string
				for _, p := range network(ts, args[0]).Fake.Posts() {
					text := fmt.Sprintf("%s\n%s", p.Title, p.Text)
					if c := p.Card; c != nil {
						text += fmt.Sprintf("\ncard: %s\n%s", c.Title, c.Description)
						if c.Image != nil {
							text += "\n" + c.Image.MIME
						}
					}
					all = append(all, text)
				}
				if has := strings.Contains(strings.Join(all, "\n\n"), args[1]); has == neg {
					ts.Fatalf("%s shows:\n%s", args[0], strings.Join(all, "\n\n"))
				}
			},
		},
	})
}

// commitIn returns the id of a commit that a file holds.
func commitIn(ts *testscript.TestScript, file string) string {
	return strings.TrimSpace(ts.ReadFile(file))
}
