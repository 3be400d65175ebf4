package servers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// GoToSocial is a running GoToSocial with one account. It speaks the Mastodon client API, but ignores
// Idempotency-Key and counts code points; its rate limits are off and it federates with nobody.
type GoToSocial struct {
	URL     string // http://127.0.0.1:port
	Account string // user name of the account
	Token   string // OAuth token of the account, with the scopes read and write
}

// outOfBand is the redirect address of a program that has none: the code is shown instead.
const outOfBand = "urn:ietf:wg:oauth:2.0:oob"

// StartGoToSocial starts a GoToSocial that runs until the test ends.
func StartGoToSocial(tb testing.TB) GoToSocial {
	tb.Helper()
	dir := installed(tb, "gotosocial")
	for _, tool := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(tool); err != nil {
			tb.Fatalf("GoToSocial needs %s, run test/servers/install: %v", tool, err)
		}
	}
	ctx, cancel := context.WithTimeout(tb.Context(), startLimit)
	defer cancel()
	var gts GoToSocial
	err := onFreePort(func(port int) (err error) {
		gts, err = startGoToSocial(ctx, tb, dir, port)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return gts
}

func startGoToSocial(ctx context.Context, tb testing.TB, dir string, port int) (GoToSocial, error) {
	const name, email, password = "alice", "alice@example.com", "Correct-Horse-Battery-9"
	state := tb.TempDir()
	binary := filepath.Join(dir, "gotosocial")
	env := goToSocialEnv(dir, state, port)
	p, err := run(tb, program{
		name: "gotosocial", dir: state, env: env, argv: []string{binary, "server", "start"}, grace: stopGrace,
	})
	if err != nil {
		return GoToSocial{}, err
	}
	base := "http://127.0.0.1:" + strconv.Itoa(port)
	if err := p.answers(ctx, &http.Client{}, base+"/readyz"); err != nil {
		return GoToSocial{}, err
	}

	// The program itself makes accounts, in the database of the running server.
	for _, args := range [][]string{
		{"admin", "account", "create", "--username", name, "--email", email, "--password", password},
		{"admin", "account", "confirm", "--username", name},
	} {
		cmd := exec.CommandContext(ctx, binary, args...)
		cmd.Dir, cmd.Env = state, env
		dieWithParent(cmd)
		if out, err := cmd.CombinedOutput(); err != nil {
			return GoToSocial{}, fmt.Errorf("gotosocial %q: %w: %s", args, err, out)
		}
	}
	token, err := oauthToken(ctx, base, email, password)
	if err != nil {
		return GoToSocial{}, err
	}
	return GoToSocial{URL: base, Account: name, Token: token}, nil
}

// goToSocialEnv returns the whole environment of a server on port, whose files are in dir and whose
// data is in state.
func goToSocialEnv(dir, state string, port int) []string {
	web := filepath.Join(dir, "web") + string(filepath.Separator)
	return []string{
		"PATH=" + os.Getenv("PATH"), // for ffmpeg
		"HOME=" + state,
		"TMPDIR=" + state,
		"GTS_PROTOCOL=http",
		"GTS_HOST=127.0.0.1:" + strconv.Itoa(port),
		"GTS_BIND_ADDRESS=127.0.0.1",
		"GTS_PORT=" + strconv.Itoa(port),
		"GTS_DB_TYPE=sqlite",
		"GTS_DB_ADDRESS=" + filepath.Join(state, "db.sqlite"),
		"GTS_DB_SQLITE_SYNCHRONOUS=OFF",
		"GTS_STORAGE_LOCAL_BASE_PATH=" + filepath.Join(state, "storage"),
		"GTS_WEB_TEMPLATE_BASE_DIR=" + web + "template/",
		"GTS_WEB_ASSET_BASE_DIR=" + web + "assets/",
		"GTS_LETSENCRYPT_ENABLED=false",
		"GTS_ADVANCED_RATE_LIMIT_REQUESTS=0",
		"GTS_ADVANCED_THROTTLING_MULTIPLIER=0",
		"GTS_INSTANCE_FEDERATION_MODE=allowlist", // and the list is empty
		"GTS_LOG_LEVEL=info",
	}
}

// oauthToken gets a token as a person does it in a browser: register the program, sign in, approve, and
// exchange the code that is shown. https://docs.joinmastodon.org/client/authorized/ (2026-11-21)
func oauthToken(ctx context.Context, base, email, password string) (string, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	browser := &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	api := &client{http: browser, url: base}

	var app struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	err = api.call(ctx, http.MethodPost, "/api/v1/apps", map[string]string{
		"client_name": "postrider test", "redirect_uris": outOfBand, "scopes": "read write",
	}, &app)
	if err != nil {
		return "", err
	}

	ask := url.Values{
		"client_id": {app.ID}, "redirect_uri": {outOfBand}, "response_type": {"code"}, "scope": {"read write"},
	}
	var code string
	for _, step := range []struct {
		method, path string
		form         url.Values
	}{
		{http.MethodGet, "/oauth/authorize?" + ask.Encode(), nil},
		{http.MethodPost, "/auth/sign_in", url.Values{"username": {email}, "password": {password}}},
		{http.MethodGet, "/oauth/authorize", nil},
		{http.MethodPost, "/oauth/authorize", url.Values{}},
	} {
		to, err := submit(ctx, browser, step.method, base+step.path, step.form)
		if err != nil {
			return "", err
		}
		code = to.Query().Get("code")
	}
	if code == "" {
		return "", errors.New("oauth: no code after the approval")
	}

	var grant struct {
		Token string `json:"access_token"`
	}
	err = api.call(ctx, http.MethodPost, "/oauth/token", map[string]string{
		"grant_type": "authorization_code", "code": code, "redirect_uri": outOfBand,
		"client_id": app.ID, "client_secret": app.Secret,
	}, &grant)
	return grant.Token, err
}

// submit sends a form as a browser does and returns the address it is redirected to, the zero URL if
// it is not.
func submit(ctx context.Context, browser *http.Client, method, address string, form url.Values) (*url.URL, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := browser.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	to, err := res.Location()
	switch {
	case err == nil:
		return to, nil
	case res.StatusCode == http.StatusOK:
		return &url.URL{}, nil
	}
	return nil, fmt.Errorf("%s %s: %s", method, req.URL.Path, res.Status)
}
