package fakenet

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// shop is the smallest network: it creates with every request.
type shop struct {
	Faults
	created int
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Create(w, r, r.Header.Get("Key"), func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Key") == "bad" {
			http.Error(w, "no", http.StatusUnprocessableEntity)
			return
		}
		s.created++
		fmt.Fprint(w, `{"id":"a long enough answer to break off"}`)
	}, func(w http.ResponseWriter, f Fault) { http.Error(w, string(f), http.StatusTeapot) })
}

// call makes one request without a network and tells what a client would see.
func call(s *shop, key string) (seen string) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/", strings.NewReader("body"))
	r.Header.Set("Key", key)
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			seen = fmt.Sprintf("broken after %q", w.Body)
		} else if p != nil {
			panic(p)
		}
	}()
	s.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Result().Body)
	return fmt.Sprintf("%d %.16s", w.Code, body)
}

func TestFaults(t *testing.T) {
	const fine = `200 {"id":"a long eno`
	want := map[Fault]string{
		None:                   fine,
		TimeoutAfterAccept:     `broken after ""`,
		ResetBefore:            `broken after ""`,
		ResetAfterAccept:       `broken after ""`,
		HalfResponse:           `broken after "{\"id\":\"a long enou"`,
		Garbage:                "200 <!doctype html>",
		Refuse:                 "418 refuse\n",
		RateLimit:              "418 rate-limit\n",
		ExpiredToken:           "418 expired-token\n",
		Forbidden:              "418 forbidden\n",
		ServerError:            "418 server-error\n",
		ServerErrorAfterAccept: "418 server-error\n",
		Redirect:               "307 ",
	}
	for _, doc := range append(AllFaults(), FaultDoc{}) {
		synctest.Test(t, func(t *testing.T) {
			s := &shop{}
			reached, createdThen := 0, 0
			s.Inject(Plan{
				Fault: doc.Fault, Skip: 1, Count: 2, Hang: time.Minute, Elsewhere: "http://elsewhere.example/",
				Reached: func() { reached++; createdThen = s.created },
			})
			var seen []string
			for i := range 4 {
				if strikes := s.Strikes(doc.Fault); strikes != (i == 1 || i == 2) {
					t.Errorf("%s: Strikes is %v before request %d", doc.Fault, strikes, i)
				}
				seen = append(seen, call(s, fmt.Sprint(i)))
			}
			bad := want[doc.Fault]
			for i, expect := range []string{fine, bad, bad, fine} {
				if !strings.HasPrefix(seen[i], expect[:min(len(expect), 20)]) {
					t.Errorf("%q, request %d: %s, want %s", doc.Fault, i, seen[i], expect)
				}
			}
			created := 2
			if doc.Accepts || doc.Fault == None {
				created = 4
			}
			if s.created != created {
				t.Errorf("%q: %d created, want %d", doc.Fault, s.created, created)
			}
			if doc.Fault != None && (reached != 2 || (doc.Accepts && createdThen != 3)) {
				t.Errorf("%q: reached %d times, the last with %d created", doc.Fault, reached, createdThen)
			}
			if calls := s.Calls(); len(calls) != 4 || calls[3].Key != "3" {
				t.Errorf("calls %v", calls)
			}
			if doc.Accepts { // what the network refuses is refused, fault or not
				s.Inject(Plan{Fault: doc.Fault, Count: -1})
				if got := call(s, "bad"); !strings.HasPrefix(got, "422") {
					t.Errorf("%q: a refused request gets %s", doc.Fault, got)
				}
			}
		})
	}
}
