package servers

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// realTests matches the tests that start real servers.
const realTests = "^TestReal"

func TestMain(m *testing.M) {
	if mode := os.Getenv(childMode); mode != "" {
		child(mode)
	}
	flag.Parse()
	if !Enabled() {
		fmt.Printf("servers: leaving out %s*, which run with %s=1\n", realTests[1:], EnvVar)
		skip := flag.Lookup("test.skip").Value
		pattern := realTests
		if s := skip.String(); s != "" {
			pattern += "|" + s
		}
		if err := skip.Set(pattern); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	removeProgram()
	os.Exit(code)
}

func TestRealPDS(t *testing.T) {
	began := time.Now()
	pds := StartPDS(t)
	t.Logf("a PDS with an account after %v", time.Since(began).Round(time.Millisecond))

	ctx := t.Context()
	c := &client{http: &http.Client{}, url: pds.URL}
	var session struct{ AccessJWT, Handle, DID string }
	err := c.call(ctx, http.MethodPost, "/xrpc/com.atproto.server.createSession",
		map[string]string{"identifier": pds.Handle, "password": pds.AppPassword}, &session)
	if err != nil {
		t.Fatal(err)
	}
	if session.Handle != pds.Handle || session.DID != pds.DID {
		t.Errorf("session of %s %s, want %s %s", session.Handle, session.DID, pds.Handle, pds.DID)
	}
	c.token = session.AccessJWT

	const collection, text = "app.bsky.feed.post", "Grüße aus dem echten PDS 📮"
	record := map[string]any{"$type": collection, "text": text, "createdAt": "2026-11-21T12:00:00.000Z"}
	var created struct{ URI string }
	err = c.call(ctx, http.MethodPost, "/xrpc/com.atproto.repo.createRecord",
		map[string]any{"repo": pds.DID, "collection": collection, "record": record}, &created)
	if err != nil {
		t.Fatal(err)
	}
	rkey := created.URI[strings.LastIndex(created.URI, "/")+1:]

	var got struct{ Value map[string]any }
	where := url.Values{"repo": {pds.DID}, "collection": {collection}, "rkey": {rkey}}
	if err := c.call(ctx, http.MethodGet, "/xrpc/com.atproto.repo.getRecord?"+where.Encode(), nil, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(record, got.Value); diff != "" {
		t.Errorf("record read back (-sent +got):\n%s", diff)
	}

	record["text"] = strings.Repeat("x", 3001)
	err = c.call(ctx, http.MethodPost, "/xrpc/com.atproto.repo.createRecord",
		map[string]any{"repo": pds.DID, "collection": collection, "record": record}, &created)
	if err == nil || !strings.Contains(err.Error(), "InvalidRequest") {
		t.Errorf("a text over 3000 bytes: %v, want InvalidRequest: the PDS checks lexicons", err)
	}
}

func TestRealGoToSocial(t *testing.T) {
	began := time.Now()
	gts := StartGoToSocial(t)
	t.Logf("a GoToSocial with an account and a token after %v", time.Since(began).Round(time.Millisecond))

	ctx := t.Context()
	c := &client{http: &http.Client{}, url: gts.URL, token: gts.Token}
	var me struct{ Username string }
	if err := c.call(ctx, http.MethodGet, "/api/v1/accounts/verify_credentials", nil, &me); err != nil {
		t.Fatal(err)
	}
	if me.Username != gts.Account {
		t.Errorf("token of %q, want %q", me.Username, gts.Account)
	}

	// An image shows that it finds ffmpeg.
	const alt = "a grey square"
	media := upload(t, c, alt)
	const text = "Grüße aus dem echten GoToSocial"
	var status struct{ ID string }
	err := c.call(ctx, http.MethodPost, "/api/v1/statuses",
		map[string]any{"status": text, "media_ids": []string{media}, "visibility": "public"}, &status)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Content string
		Media   []struct{ Type, Description string } `json:"media_attachments"`
	}
	if err := c.call(ctx, http.MethodGet, "/api/v1/statuses/"+status.ID, nil, &got); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got.Content, text) {
		t.Errorf("content read back %q, want %q in it", got.Content, text)
	}
	if len(got.Media) != 1 || got.Media[0].Type != "image" || got.Media[0].Description != alt {
		t.Errorf("media read back %+v, want one image with the description %q", got.Media, alt)
	}
}

// upload sends a small image and returns its media id.
func upload(t *testing.T, c *client, alt string) string {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", "square.png")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		png.Encode(file, image.NewGray(image.Rect(0, 0, 16, 16))),
		form.WriteField("description", alt),
		form.Close(),
	); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+"/api/v2/media", &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Authorization", "Bearer "+c.token)
	res, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var media struct{ ID string }
	if err := json.Unmarshal(answer, &media); err != nil || media.ID == "" {
		t.Fatalf("upload: %s: %s", res.Status, answer)
	}
	return media.ID
}

func TestOnFreePort(t *testing.T) {
	other := errors.New("other")
	taken := fmt.Errorf("it did not start: %w", errPortTaken)
	for _, tt := range []struct {
		name    string
		answers []error // of one start after the other
		want    error
	}{
		{"at once", []error{nil}, nil},
		{"port taken once", []error{taken, nil}, nil},
		{"port always taken", []error{taken, taken, taken}, errPortTaken},
		{"other error", []error{other}, other},
	} {
		t.Run(tt.name, func(t *testing.T) {
			starts := 0
			err := onFreePort(func(port int) error {
				if port < 1 || port > 65535 {
					t.Errorf("port %d", port)
				}
				starts++
				return tt.answers[starts-1]
			})
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if starts != len(tt.answers) {
				t.Errorf("%d starts, want %d", starts, len(tt.answers))
			}
		})
	}
}

func TestFirstLine(t *testing.T) {
	for _, tt := range []struct {
		name   string
		writes []string
		want   string // "" for none
	}{
		{"one write", []string{"ready\n"}, "ready"},
		{"in pieces", []string{"re", "ad", "y\nmore"}, "ready"},
		{"more lines", []string{"ready\nmore\n", "even more\n"}, "ready"},
		{"no end", []string{"rea", "dy"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := make(chan string, 1)
			w := &firstLine{found: found}
			for _, s := range tt.writes {
				if n, err := w.Write([]byte(s)); n != len(s) || err != nil {
					t.Errorf("Write(%q) = %d, %v", s, n, err)
				}
			}
			var got string
			select {
			case got = <-found:
			default:
			}
			if got != tt.want {
				t.Errorf("first line %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOAuthToken(t *testing.T) {
	// A server that answers as GoToSocial does, and knows a browser by its cookie.
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/apps", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"client_id":"id","client_secret":"secret"}`)
	})
	mux.HandleFunc("GET /oauth/authorize", func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("signed-in"); err == nil {
			io.WriteString(w, "<form>approve?</form>")
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "asked", Value: r.FormValue("scope"), Path: "/"})
		http.Redirect(w, r, "/auth/sign_in", http.StatusSeeOther)
	})
	mux.HandleFunc("POST /auth/sign_in", func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("asked"); err != nil || r.PostFormValue("password") != "right & long" {
			http.Error(w, "who?", http.StatusUnauthorized)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "signed-in", Value: r.PostFormValue("username"), Path: "/"})
		http.Redirect(w, r, "/oauth/authorize", http.StatusFound)
	})
	mux.HandleFunc("POST /oauth/authorize", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/oauth/oob?code=the+code", http.StatusFound)
	})
	mux.HandleFunc("POST /oauth/token", func(w http.ResponseWriter, r *http.Request) {
		var in map[string]string
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		want := map[string]string{
			"grant_type": "authorization_code", "code": "the code", "redirect_uri": outOfBand,
			"client_id": "id", "client_secret": "secret",
		}
		if diff := cmp.Diff(want, in); diff != "" {
			t.Errorf("asks for a token (-want +got):\n%s", diff)
		}
		io.WriteString(w, `{"access_token":"token"}`)
	})
	server := httptest.NewServer(mux)
	defer server.Close()

	token, err := oauthToken(t.Context(), server.URL, "alice@example.com", "right & long")
	if token != "token" || err != nil {
		t.Errorf("token %q, error %v", token, err)
	}
	if _, err := oauthToken(t.Context(), server.URL, "alice@example.com", "wrong"); err == nil {
		t.Error("no error for a wrong password")
	}
}

func TestRealGitea(t *testing.T) {
	began := time.Now()
	gitea := StartGitea(t, "vroni", "anni")
	t.Logf("a Gitea with two users and their tokens after %v", time.Since(began).Round(time.Millisecond))

	for name, token := range gitea.Tokens {
		c := &client{http: &http.Client{}, url: gitea.URL + "/api/v1", token: token}
		var me struct {
			Login string
			Admin bool `json:"is_admin"`
		}
		if err := c.call(t.Context(), http.MethodGet, "/user", nil, &me); err != nil {
			t.Fatal(err)
		}
		if me.Login != name || me.Admin != (name == "vroni") {
			t.Errorf("the token of %s is one of %+v", name, me)
		}
	}
}
