package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/forge/inbound"
)

// Handler serves webhooks, and what watches over the daemon:
//
//	POST /hook, /hook/SITE    something was pushed
//	GET /healthz              the process lives
//	GET /readyz               every site works, as [Ready]
//	GET /metrics              in Prometheus's text format
//
// No request does work, or waits for any.
func (d *Daemon) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/hook", d.receive)
	mux.HandleFunc("/hook/{site}", d.receive)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", d.serveReady)
	mux.HandleFunc("GET /metrics", d.serveMetrics)
	return mux
}

// answer writes one line of text.
func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text) //nolint:errcheck // whoever asked has gone
}

// receive takes a webhook: it wakes the loops of the sites that it is about, and answers at once.
func (d *Daemon) receive(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	hook, named, sites := d.o.Hook, r.PathValue("site"), slices.Collect(maps.Values(d.sites))
	if named != "" {
		s := d.sites[named]
		if sites = nil; s != nil {
			sites = []*site{s}
			if s.Hook != nil {
				hook = s.Hook
			}
		}
	}
	d.mu.Unlock()
	event, err := hook.Read(w, r)
	if err != nil {
		status, refused := http.StatusBadRequest, (*inbound.Error)(nil)
		if errors.As(err, &refused) {
			status = refused.Status
		}
		d.metrics.webhook(refusals[status])
		d.o.Log.Warn("webhook refused", "err", d.o.Scrub(err.Error()), "status", status, "from", r.RemoteAddr)
		answer(w, status, d.o.Scrub(err.Error()))
		return
	}
	if named == "" && len(sites) > 1 {
		sites = slices.DeleteFunc(sites, func(s *site) bool { return !s.isAt(event.CloneURLs) })
	}
	result, status := "woke", http.StatusAccepted
	switch {
	case isReview(event.Name):
		result = "ignored"
		for _, s := range sites {
			if s.look().unapproved {
				s.poke()
				result = "woke"
			}
		}
	case event.Name != "push":
		result = "ignored"
	case len(sites) == 0:
		result, status = "no_site", http.StatusNotFound
	case !slices.ContainsFunc(sites, func(s *site) bool { return s.reads(event.Ref) }):
		result = "ignored" // somebody's work that is not merged, as a rule
	case !slices.ContainsFunc(sites, func(s *site) bool { return !s.knows(event.Commit) }):
		result = "known" // as a rule, what this daemon has pushed itself
	default:
		for _, s := range sites {
			if s.reads(event.Ref) {
				s.poke()
			}
		}
	}
	d.metrics.webhook(result)
	d.o.Log.Info("webhook", "result", result, "from", string(event.Kind), "event", event.Name, "delivery", event.Delivery, "repository", event.Repository, "ref", event.Ref)
	answer(w, status, result)
}

// isReview reports whether an event may be somebody's approval: the names of GitHub and Gitea, and of GitLab.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads, https://docs.gitlab.com/user/project/integrations/webhook_events/ (2026-11-22)
func isReview(event string) bool {
	return event == "pull_request_review" || event == "pull_request_approved" || event == "merge_request"
}

// refusals are the results of webhooks that were not accepted, by what was answered.
var refusals = map[int]string{
	http.StatusBadRequest: "malformed", http.StatusUnauthorized: "unauthorized", http.StatusMethodNotAllowed: "method", http.StatusConflict: "replayed",
	http.StatusRequestEntityTooLarge: "too_large", http.StatusUnsupportedMediaType: "media_type",
}

// isAt reports whether one of the addresses is that of the site's repository, as far as is known.
func (s *site) isAt(addresses []string) bool {
	for _, own := range s.look().seen.Remotes {
		if slices.ContainsFunc(addresses, func(a string) bool { return place(a) == place(own) }) {
			return true
		}
	}
	return false
}

// place returns what is the same in all addresses of a repository: https://git.example/acme/social.git, ssh://git@git.example:22/acme/social
// and git@git.example:acme/social. Two repositories that differ only in case or port are taken for one: a fetch too many does no harm.
func place(address string) string {
	host, path := "", address
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		host, path = u.Hostname(), u.Path
	} else if h, p, ok := strings.Cut(address, ":"); ok {
		_, after, found := strings.Cut(h, "@")
		if host, path = h, p; found {
			host = after
		}
	}
	return strings.ToLower(host + "/" + strings.Trim(strings.TrimSuffix(strings.TrimRight(path, "/"), ".git"), "/"))
}

// Ready is the answer of /readyz.
type Ready struct {
	Ready    bool        `json:"ready"`
	Stopping bool        `json:"stopping,omitempty"`
	Sites    []SiteReady `json:"sites"` // by name
}

// SiteReady is how one site does.
type SiteReady struct {
	Name     string    `json:"name"`
	Ready    bool      `json:"ready"`
	Reason   string    `json:"reason,omitempty"` // why it is not ready, or the failure that may make it so
	Failures int       `json:"failures,omitempty"`
	Fetched  time.Time `json:"fetched,omitzero"`  // when the remote was asked last and answered
	NextDue  time.Time `json:"next_due,omitzero"` // when the plan changes by itself next
	Held     bool      `json:"held,omitempty"`
}

// readyFor is how many fetch intervals a site may be without a good visit, and atLeast how long that is at least.
const (
	readyFor = 3
	atLeast  = time.Minute
)

// Ready reports whether every site works: it has been opened, and the last good visit is not too long ago.
func (d *Daemon) Ready() Ready {
	d.mu.Lock()
	out := Ready{Ready: !d.stopping && len(d.sites) > 0, Stopping: d.stopping, Sites: []SiteReady{}}
	sites := slices.Collect(maps.Values(d.sites))
	d.mu.Unlock()
	now := d.now()
	for _, s := range sites {
		x := s.ready(now)
		out.Ready = out.Ready && x.Ready
		out.Sites = append(out.Sites, x)
	}
	slices.SortFunc(out.Sites, func(a, b SiteReady) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (s *site) ready(now time.Time) SiteReady {
	st := s.look()
	limit := max(readyFor*s.Fetch, atLeast)
	x := SiteReady{
		Name: s.Name, Ready: !st.good.IsZero() && (st.sending || now.Sub(st.good) <= limit), Reason: st.err, Failures: st.failures,
		Fetched: st.fetched.Truncate(time.Second), NextDue: st.next, Held: st.held,
	}
	switch {
	case x.Ready || x.Reason != "":
	case st.good.IsZero():
		x.Reason = "it has not been opened yet"
	default:
		x.Reason = fmt.Sprintf("nothing was heard of its remote for %s", now.Sub(st.good).Round(time.Second))
	}
	return x
}

func (d *Daemon) serveReady(w http.ResponseWriter, _ *http.Request) {
	ready := d.Ready()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if !ready.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.Encode(ready) //nolint:errcheck // whoever asked has gone
}

func (d *Daemon) serveMetrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Write(d.metrics.text()) //nolint:errcheck // whoever asked has gone
}
