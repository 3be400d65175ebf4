package servers

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// loss is what becomes of the answer to a creating request, which the server has carried out by then.
type loss int

const (
	passes  loss = iota
	dropped      // the connection is closed without an answer
	severed      // and from then on nobody is reached any more, until the proxy is mended
	kept         // nothing comes back until the program goes away
)

// lossy is a proxy between the program and one server. It loses the answer to one creating request.
type lossy struct {
	URL string

	t       *testing.T
	server  *httputil.ReverseProxy
	creates string // the path of creating requests

	mu    sync.Mutex
	next  loss
	skip  int // so many creating requests go well first
	away  bool
	asked int // creating requests that have reached the server
	done  chan struct{}
}

// newLossy puts a proxy before a server whose creating requests are POSTs to a path.
func newLossy(t *testing.T, server, creates string) *lossy {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	p := &lossy{t: t, creates: creates, server: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) }}}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	p.URL = s.URL
	return p
}

// lose loses the answer to the creating request after skip ones. The channel is closed once the server
// has carried it out.
func (p *lossy) lose(how loss, skip int) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next, p.skip, p.done = how, skip, make(chan struct{})
	return p.done
}

// requests returns how many creating requests have reached the server since it was last asked.
func (p *lossy) requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.asked
	p.asked = 0
	return n
}

// mend lets everything pass again.
func (p *lossy) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next, p.away = passes, false
}

// ServeHTTP implements http.Handler.
func (p *lossy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	how, done := p.judge(r)
	if how == passes {
		p.server.ServeHTTP(w, r)
		return
	}
	if done == nil {
		panic(http.ErrAbortHandler)
	}
	answer := httptest.NewRecorder()
	p.server.ServeHTTP(answer, r.WithContext(context.WithoutCancel(r.Context())))
	if answer.Code/100 != 2 {
		p.t.Errorf("%s: the request whose answer is lost failed: %d %s", p.creates, answer.Code, answer.Body)
	}
	close(done)
	if how == kept {
		<-r.Context().Done()
	}
	panic(http.ErrAbortHandler)
}

// judge says what becomes of a request; done is nil for one that does not reach the server.
func (p *lossy) judge(r *http.Request) (how loss, done chan<- struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away {
		return dropped, nil
	}
	if r.Method != http.MethodPost || r.URL.Path != p.creates {
		return passes, nil
	}
	p.asked++
	if p.next == passes {
		return passes, nil
	}
	if p.skip > 0 {
		p.skip--
		return passes, nil
	}
	how, p.next, p.away = p.next, passes, p.next == severed
	return how, p.done
}
