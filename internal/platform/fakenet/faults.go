package fakenet

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"
)

// Fault names a way in which a network fails.
type Fault string

// The faults. Those that say "after accept" create the post first: whoever sends it again doubles it.
const (
	None                   Fault = ""
	TimeoutAfterAccept     Fault = "timeout-after-accept"
	ResetBefore            Fault = "reset-before"
	ResetAfterAccept       Fault = "reset-after-accept"
	HalfResponse           Fault = "half-response"
	Garbage                Fault = "garbage"
	Refuse                 Fault = "refuse"
	RateLimit              Fault = "rate-limit"
	ExpiredToken           Fault = "expired-token"
	Forbidden              Fault = "forbidden"
	ServerError            Fault = "server-error"
	ServerErrorAfterAccept Fault = "server-error-after-accept"
	Redirect               Fault = "redirect"
)

// FaultDoc explains one fault.
type FaultDoc struct {
	Fault Fault
	Help  string
	// Accepts tells that the post exists although the sender cannot know.
	Accepts bool
}

// AllFaults returns every fault with its explanation, in the order in which documentation lists them.
func AllFaults() []FaultDoc {
	return []FaultDoc{
		{TimeoutAfterAccept, "accepts the post and never answers", true},
		{ResetBefore, "closes the connection before looking at the request", false},
		{ResetAfterAccept, "accepts the post and closes the connection without an answer", true},
		{HalfResponse, "accepts the post and breaks off in the middle of the answer", true},
		{Garbage, "accepts the post and answers 200 with a page of HTML", true},
		{Refuse, "refuses the content, as the platform words it", false},
		{RateLimit, "refuses for now, as the platform limits its clients", false},
		{ExpiredToken, "no longer accepts the token", false},
		{Forbidden, "knows the token but does not let it post", false},
		{ServerError, "answers 500 and has posted nothing", false},
		{ServerErrorAfterAccept, "answers 500 although it has posted", true},
		{Redirect, "redirects to another host", false},
	}
}

// Plan says which creating requests fail, and how.
type Plan struct {
	Fault Fault
	Skip  int           // so many creating requests go well first
	Count int           // so many fail then; 0 means 1, a negative number all
	Hang  time.Duration // how long TimeoutAfterAccept keeps the connection; 0 means until the client goes away
	// Reached is called when the fault strikes, after the post was accepted where the fault accepts it.
	Reached func()
	// Elsewhere is where Redirect leads.
	Elsewhere string
}

// Faults is the fault switch of a fake and its log of creating requests; fakes embed it. The zero
// value breaks nothing.
type Faults struct {
	mu    sync.Mutex
	plan  Plan
	seen  int // creating requests since Inject
	calls []Call
}

// Inject implements [Fake].
func (f *Faults) Inject(p Plan) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.Count == 0 {
		p.Count = 1
	}
	f.plan, f.seen = p, 0
}

// Calls implements [Fake].
func (f *Faults) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Call(nil), f.calls...)
}

// Strikes reports whether the next creating request will meet fault. Fakes use it to let other
// endpoints fail alike: a dead token is dead everywhere.
func (f *Faults) Strikes(fault Fault) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.plan.Fault == fault && f.hits(f.seen)
}

// hits reports whether the creating request number n since Inject fails.
func (f *Faults) hits(n int) bool {
	return n >= f.plan.Skip && (f.plan.Count < 0 || n < f.plan.Skip+f.plan.Count)
}

// Create serves one creating request, whose body may have been read already. accept does what the network does when all is well; refuse
// answers Refuse, RateLimit, ExpiredToken, Forbidden and ServerError in the platform's own form.
func (f *Faults) Create(w http.ResponseWriter, r *http.Request, key string, accept http.HandlerFunc, refuse func(http.ResponseWriter, Fault)) {
	f.mu.Lock()
	f.calls = append(f.calls, Call{Key: key})
	plan, fault := f.plan, None
	if f.hits(f.seen) {
		fault = plan.Fault
	}
	f.seen++
	f.mu.Unlock()
	if fault == None {
		accept(w, r)
		return
	}
	reached := plan.Reached
	if reached == nil {
		reached = func() {}
	}
	switch fault {
	case ResetBefore:
		reached()
		panic(http.ErrAbortHandler)
	case Refuse, RateLimit, ExpiredToken, Forbidden, ServerError:
		refuse(w, fault)
		reached()
		return
	case Redirect:
		http.Redirect(w, r, plan.Elsewhere, http.StatusTemporaryRedirect)
		reached()
		return
	}

	var answer recorder
	accept(&answer, r)
	if answer.status >= 400 { // it was not accepted: the network has the word
		answer.writeTo(w)
		return
	}
	reached()
	switch fault {
	case TimeoutAfterAccept:
		hang(r, plan.Hang)
		panic(http.ErrAbortHandler)
	case ResetAfterAccept:
		panic(http.ErrAbortHandler)
	case HalfResponse:
		maps.Copy(w.Header(), answer.header)
		w.WriteHeader(answer.status)
		w.Write(answer.body.Bytes()[:answer.body.Len()/2]) //nolint:errcheck // the connection is about to break
		http.NewResponseController(w).Flush()              //nolint:errcheck // as above
		panic(http.ErrAbortHandler)
	case Garbage:
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("<!doctype html><title>Welcome to our captive portal")) //nolint:errcheck // a fault
	case ServerErrorAfterAccept:
		refuse(w, ServerError)
	}
}

// hang waits until the client goes away, or for d.
func hang(r *http.Request, d time.Duration) {
	io.Copy(io.Discard, r.Body) //nolint:errcheck // only then does the server notice that the client goes
	if d <= 0 {
		<-r.Context().Done()
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-r.Context().Done():
	case <-timer.C:
	}
}

// recorder keeps an answer that may never be sent.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *recorder) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

func (a *recorder) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *recorder) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func (a *recorder) writeTo(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	w.Write(a.body.Bytes()) //nolint:errcheck // a fake
}
