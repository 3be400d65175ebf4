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
	created, files int
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/upload" {
		s.Upload(w, r, func(w http.ResponseWriter, _ *http.Request) {
			s.files++
			fmt.Fprint(w, "taken")
		}, func(w http.ResponseWriter, f Fault) { http.Error(w, string(f), http.StatusTooManyRequests) })
		return
	}
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
func call(s *shop, key string) (seen string) { return callAt(s, "/", key) }

func callAt(s *shop, path, key string) (seen string) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", path, strings.NewReader("body"))
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
		SlowAnswer:             fine,
		LateAccept:             fine,
		ResetBefore:            `broken after ""`,
		HalfRequest:            `broken after ""`,
		ResetAfterAccept:       `broken after ""`,
		HalfResponse:           `broken after "{\"id\":\"a long enou"`,
		Garbage:                "200 <!doctype html>",
		Refuse:                 "418 refuse\n",
		RateLimit:              "418 rate-limit\n",
		ExpiredSession:         "418 expired-session\n",
		ExpiredToken:           "418 expired-token\n",
		Forbidden:              "418 forbidden\n",
		ServerError:            "418 server-error\n",
		ServerErrorAfterAccept: "418 server-error\n",
		Redirect:               "307 ",
	}
	for _, doc := range append(AllFaults(), FaultDoc{}) {
		if doc.Uploads {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			s := &shop{}
			reached, createdThen, arrived, answered := 0, 0, 0, 0
			s.Inject(Plan{
				Fault: doc.Fault, Skip: 1, Count: 2, Hang: time.Minute, Elsewhere: "http://elsewhere.example/",
				Reached: func() { reached++; createdThen = s.created },
				Arrived: func() {
					if arrived++; s.created > 2 {
						t.Errorf("%s: created before it arrived", doc.Fault)
					}
				},
				Answered: func() { answered++ },
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
			whole := 2
			if strings.HasPrefix(bad, "broken") {
				whole = 0
			}
			if arrived != 2 || answered != whole {
				t.Errorf("%q: %d arrived, %d were answered, want 2 and %d", doc.Fault, arrived, answered, whole)
			}
			if reached != 2 || (doc.Accepts && createdThen != 3) {
				t.Errorf("%q: reached %d times, the last with %d created", doc.Fault, reached, createdThen)
			}
			if calls := s.Calls(); len(calls) != 4 || calls[3].Key != "3" {
				t.Errorf("calls %v", calls)
			}
			if doc.Accepts { // what the network refuses is refused, fault or not
				s.Inject(Plan{Fault: doc.Fault, Count: -1, Hang: time.Minute})
				if got := call(s, "bad"); !strings.HasPrefix(got, "422") {
					t.Errorf("%q: a refused request gets %s", doc.Fault, got)
				}
			}
		})
	}
}

func TestUploads(t *testing.T) {
	for fault, want := range map[Fault]string{UploadLost: `broken after ""`, UploadLimit: "429 rate-limit", ResetBefore: "200 taken"} {
		s := &shop{}
		s.Inject(Plan{Fault: fault, Skip: 1})
		if got := callAt(s, "/upload", ""); got != "200 taken" {
			t.Errorf("%s: the first file gets %s", fault, got)
		}
		if got := callAt(s, "/upload", ""); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", fault, got, want)
		}
		if files := map[Fault]int{UploadLost: 2, UploadLimit: 1, ResetBefore: 2}[fault]; s.files != files {
			t.Errorf("%s: %d files are there, want %d", fault, s.files, files)
		}
		if len(s.Calls()) != 0 {
			t.Errorf("%s: uploads are no posts: %v", fault, s.Calls())
		}
		if fault.uploads() {
			if got := call(s, "1"); !strings.HasPrefix(got, "200") {
				t.Errorf("%s: a post gets %s", fault, got)
			}
		}
	}
}

func TestQuota(t *testing.T) {
	now := time.Date(2026, 12, 1, 9, 4, 0, 0, time.UTC)
	var told []Allowance
	s := &shop{Faults: Faults{Clock: func() time.Time { return now }, Tell: func(_ http.Header, a Allowance) { told = append(told, a) }}}
	call(s, "0")
	s.Limit(Quota{Posts: 2, Window: 5 * time.Minute})
	for i, want := range []string{"200", "200", "418 rate-limit"} {
		if got := call(s, fmt.Sprint(i)); !strings.HasPrefix(got, want) {
			t.Errorf("post %d: %s, want %s", i, got, want)
		}
	}
	now = now.Add(time.Minute)
	if got := call(s, "3"); !strings.HasPrefix(got, "200") {
		t.Errorf("in the next window: %s", got)
	}
	if s.created != 4 {
		t.Errorf("%d created", s.created)
	}
	var left []int
	for _, a := range told {
		left = append(left, a.Left)
	}
	if fmt.Sprint(left) != "[1 0 0 1]" || !told[2].Reset.Equal(now) {
		t.Errorf("told %v, the limit ends at %v", left, told[2].Reset)
	}
}

// A connection that breaks in the middle of a request breaks before anything is made of it.
func TestHalfRequest(t *testing.T) {
	s := &shop{}
	s.Inject(Plan{Fault: HalfRequest})
	r := httptest.NewRequest("POST", "/", strings.NewReader("0123456789"))
	defer func() {
		rest, _ := io.ReadAll(r.Body)
		if p := recover(); p != http.ErrAbortHandler || string(rest) != "56789" || s.created != 0 || len(s.Calls()) != 1 {
			t.Errorf("recovered %v, %q was left, %d created", p, rest, s.created)
		}
	}()
	s.Break(r, "1")
	t.Error("it goes on")
}
