// Package sandbox is a place to publish to that is not the world.
//
// It runs the fake servers of all adapters side by side on this machine, each on an address of its own as
// the real ones are, and a page that shows every network's timeline. The networks can be told to fail. The
// demo runs in it, and so can a team's staging site.
package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
)

// Options are the inputs of [Start].
type Options struct {
	Registry *platform.Registry
	// Platforms are the networks to run, in the order of the timeline.
	Platforms []platform.ID
	// Handles are the names of the account that each network has.
	Handles map[platform.ID]string
	// Address is where the timeline is served: "127.0.0.1:0" for a free port. The networks take free ports of the same host.
	Address string
	Now     func() time.Time
	// Note is shown on top of the timeline.
	Note string
}

// Sandbox is a running sandbox.
type Sandbox struct {
	o       Options
	url     string
	running []*Running
	servers []*http.Server
	serving sync.WaitGroup
}

// Running is one network that runs.
type Running struct {
	fakenet.Network
	ID   platform.ID
	Name string
	Base string // its address
	Fake fakenet.Fake
}

// Server returns what an account's address in site.yaml must be to reach the network.
func (r *Running) Server() string { return r.Base + r.Path }

// Start starts the networks and the timeline. Close ends them.
func Start(ctx context.Context, o Options) (*Sandbox, error) {
	s := &Sandbox{o: o}
	host, _, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, fmt.Errorf("sandbox address: %w", err)
	}
	var config net.ListenConfig
	for _, id := range o.Platforms {
		adapter, _ := o.Registry.Get(id)
		provider, ok := adapter.(fakenet.Provider)
		if !ok {
			return nil, errors.Join(fmt.Errorf("sandbox: there is no stand-in for %q", id), s.Close())
		}
		l, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("sandbox: serve %s: %w", id, err), s.Close())
		}
		r := &Running{Network: provider.Network(), ID: id, Name: adapter.Info().Name, Base: "http://" + l.Addr().String()}
		r.Fake = r.New(r.Base, o.Handles[id], o.Now)
		s.running = append(s.running, r)
		s.serve(l, s.dated(r.Fake))
	}
	l, err := config.Listen(ctx, "tcp", o.Address)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sandbox: serve the timeline: %w", err), s.Close())
	}
	s.url = "http://" + l.Addr().String()
	s.serve(l, s.timeline())
	return s, nil
}

// dated has a network say the sandbox's time in its answers, as its posts do. A server that lived in the machine's time instead
// would have everything that compares clocks see a difference that changes with the hour at which it is looked at.
func (s *Sandbox) dated(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.o.Now().UTC().Format(http.TimeFormat))
		h.ServeHTTP(w, r)
	})
}

func (s *Sandbox) serve(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	s.servers = append(s.servers, server)
	s.serving.Go(func() { server.Serve(l) }) //nolint:errcheck // ends with ErrServerClosed
}

// Close ends all servers and waits for them.
func (s *Sandbox) Close() error {
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	s.serving.Wait()
	return errors.Join(errs...)
}

// URL returns the timeline's address.
func (s *Sandbox) URL() string { return s.url }

// Networks returns what runs, in the order of Options.
func (s *Sandbox) Networks() []*Running { return s.running }

// Creations returns how many posts were created on all networks together.
func (s *Sandbox) Creations() (n int) {
	for _, r := range s.running {
		n += r.Fake.Creations()
	}
	return n
}

// Inject makes the next creating request on every network fail.
func (s *Sandbox) Inject(p fakenet.Plan) {
	for _, r := range s.running {
		r.Fake.Inject(p)
	}
}

//go:embed timeline.html
var page string

// column is one network on the timeline.
type column struct {
	ID, Name, Base string
	Creations      int
	Posts          []entry
}

// entry is one post on the timeline, newest thread first.
type entry struct {
	fakenet.Post
	Reply bool
}

func (s *Sandbox) columns() []column {
	var columns []column
	for _, r := range s.running {
		c := column{ID: string(r.ID), Name: r.Name, Base: r.Base, Creations: r.Fake.Creations()}
		posts := r.Fake.Posts()
		for i := len(posts) - 1; i >= 0; i-- {
			if posts[i].Root == "" {
				c.Posts = append(c.Posts, entry{Post: posts[i]})
				for _, reply := range posts {
					if reply.Root == posts[i].ID {
						c.Posts = append(c.Posts, entry{Post: reply, Reply: true})
					}
				}
			}
		}
		columns = append(columns, c)
	}
	return columns
}

// timeline serves the page, and at /state a word that changes when the page does.
func (s *Sandbox) timeline() http.Handler {
	tmpl := sync.OnceValue(func() *template.Template {
		return template.Must(template.New("timeline").Funcs(template.FuncMap{
			"isImage": func(mime string) bool { return strings.HasPrefix(mime, "image/") },
			"clock":   func(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 UTC") },
			"paragraphs": func(text string) []string {
				return slices.DeleteFunc(strings.Split(text, "\n\n"), func(p string) bool { return p == "" })
			},
		}).Parse(page))
	})
	render := func() ([]byte, error) {
		var b bytes.Buffer
		err := tmpl().Execute(&b, struct {
			Note    string
			Columns []column
		}{s.o.Note, s.columns()})
		return b.Bytes(), err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		b, err := render()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src http: https: data:")
		h.Set("Cache-Control", "no-store")
		w.Write(b) //nolint:errcheck // the reader has gone
	})
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, r *http.Request) {
		b, err := render()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		sum := sha256.Sum256(b)
		w.Header().Set("Cache-Control", "no-store")
		w.Write([]byte(hex.EncodeToString(sum[:8]))) //nolint:errcheck // the reader has gone
	})
	return mux
}
