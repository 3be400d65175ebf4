package preview

import (
	"bytes"
	"net/http"
	"path"
	"strings"

	"github.com/postrider/postrider/internal/board"
	"github.com/postrider/postrider/internal/feed"
	"github.com/postrider/postrider/internal/pages"
)

// home is the address under which the request has found this server.
func home(r *http.Request) string { return "http://" + r.Host }

// calendar answers with the calendar of the site, of an account or of a campaign.
func (s *Server) calendar(w http.ResponseWriter, r *http.Request) {
	b := s.state.Load().board
	if b == nil {
		http.Error(w, "The posts are still being read.", http.StatusServiceUnavailable)
		return
	}
	var f board.Filter
	if file := r.PathValue("file"); file != "" {
		name, ok := strings.CutSuffix(file, ".ics")
		cfg := b.Input().Site.Config
		if strings.HasPrefix(r.URL.Path, "/calendar/campaign/") {
			_, known := cfg.Campaign(name)
			ok, f.Campaign = ok && known, name
		} else {
			_, known := cfg.Account(name)
			ok, f.Account = ok && known, name
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
	}
	s.write(w, "text/calendar; charset=utf-8", func(buf *bytes.Buffer) error {
		return feed.WriteCalendar(buf, pages.CalendarOf(b, f, home(r)))
	})
}

// feed answers with what was published.
func (s *Server) feed(w http.ResponseWriter, r *http.Request) {
	b := s.state.Load().board
	if b == nil {
		http.Error(w, "The posts are still being read.", http.StatusServiceUnavailable)
		return
	}
	f := pages.FeedOf(b, home(r), home(r)+r.URL.Path)
	kind, write := "application/rss+xml; charset=utf-8", feed.WriteRSS
	switch path.Base(r.URL.Path) {
	case "atom.xml":
		kind, write = "application/atom+xml; charset=utf-8", feed.WriteAtom
	case "feed.json":
		kind, write = "application/feed+json", feed.WriteJSONFeed
	}
	s.write(w, kind, func(buf *bytes.Buffer) error { return write(buf, f) })
}

func (s *Server) write(w http.ResponseWriter, kind string, make func(*bytes.Buffer) error) {
	var buf bytes.Buffer
	if err := make(&buf); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Write(buf.Bytes()) //nolint:errcheck // the reader has gone
}
