package channel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/secret"
)

// letter is a mail as the server got it.
type letter struct {
	From   string
	To     []string
	Data   string
	Secure bool
	User   string
}

// postOffice is a mail server on this machine.
type postOffice struct {
	mu      sync.Mutex
	letters []letter
	plain   bool          // takes mail without a login
	stall   chan struct{} // when set, DATA is not answered before it is closed
}

func (o *postOffice) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &counter{office: o, conn: c}, nil
}

// counter is where one sender is served.
type counter struct {
	office *postOffice
	conn   *smtp.Conn
	letter letter
	user   string
}

func (c *counter) AuthMechanisms() []string { return []string{sasl.Plain} }

func (c *counter) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "bot" || password != "pass-0123456789" {
			return smtp.ErrAuthFailed
		}
		c.user = user
		return nil
	}), nil
}

func (c *counter) Mail(from string, _ *smtp.MailOptions) error {
	if c.user == "" && !c.office.plain {
		return smtp.ErrAuthRequired
	}
	c.letter = letter{From: from, User: c.user}
	_, c.letter.Secure = c.conn.TLSConnectionState()
	return nil
}

func (c *counter) Rcpt(to string, _ *smtp.RcptOptions) error {
	switch {
	case strings.HasPrefix(to, "nobody@"):
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	case strings.HasPrefix(to, "later@"):
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "try again later"}
	}
	c.letter.To = append(c.letter.To, to)
	return nil
}

func (c *counter) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if c.office.stall != nil {
		<-c.office.stall
	}
	c.letter.Data = string(b)
	c.office.mu.Lock()
	defer c.office.mu.Unlock()
	c.office.letters = append(c.office.letters, c.letter)
	return nil
}

func (c *counter) Reset()        { c.letter = letter{} }
func (c *counter) Logout() error { return nil }

// serve opens the post office and returns its address, and what trusts it.
func (o *postOffice) serve(t *testing.T, implicit bool) (address string, trust *tls.Config) {
	t.Helper()
	lender := httptest.NewTLSServer(nil) // whose certificate is for this machine
	certificate, roots := lender.TLS.Certificates[0], x509.NewCertPool()
	roots.AddCert(lender.Certificate())
	lender.Close()
	server := smtp.NewServer(o)
	server.Domain = "127.0.0.1"
	server.AllowInsecureAuth = false
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	server.ErrorLog = discard{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if implicit {
		l = tls.NewListener(l, server.TLSConfig)
	}
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(l) }() //nolint:errcheck // ends with the test
	t.Cleanup(func() { server.Close(); <-done })       //nolint:errcheck // so be it
	return l.Addr().String(), &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// discard is a log that nobody reads.
type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

func mailbox(t *testing.T, trust *tls.Config, o *MailOptions, password string) platform.Publisher {
	t.Helper()
	p, err := Mail{tls: trust}.Open(&platform.Account{Name: "ops", Platform: "smtp", Options: o}, platform.Deps{
		Now: now, Log: slog.New(slog.DiscardHandler), Secrets: map[string]secret.String{"PASSWORD": secret.New(password)}, Timeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMail(t *testing.T) {
	for name, c := range map[string]struct {
		security       string
		implicit, open bool
		user           string
	}{
		"starttls": {security: securityStartTLS, user: "bot"}, "tls": {security: securityTLS, implicit: true, user: "bot"}, "none": {security: securityNone, open: true},
	} {
		t.Run(name, func(t *testing.T) {
			office := &postOffice{plain: c.open}
			address, trust := office.serve(t, c.implicit)
			p := mailbox(t, trust, &MailOptions{Server: address, Security: c.security, User: c.user, From: "Postrider <bot@acme.example>", To: []string{"ada@acme.example", "bo@acme.example"}}, "pass-0123456789")
			if id, err := p.Verify(t.Context()); err != nil || id.ID != "127.0.0.1" {
				t.Fatalf("%+v, %v", id, err)
			}
			r, list := Mail{}.Render(variant(t, "Größe **1** <b>\n\n[there](https://acme.example)\n"), nil)
			if list.HasErrors() {
				t.Fatal(list)
			}
			r.Title = "Acme ✓: 1 failed\r\nBcc: mallory@evil.example"
			receipt, err := p.Publish(t.Context(), &r, attempt())
			if err != nil || receipt.Parts[0].ID != "k0123456789@acme.example" {
				t.Fatalf("%+v, %v", receipt, err)
			}
			if len(office.letters) != 1 {
				t.Fatalf("%d mails", len(office.letters))
			}
			got := office.letters[0]
			m, err := mail.ReadMessage(strings.NewReader(got.Data))
			if err != nil {
				t.Fatal(err)
			}
			got.Data = ""
			want := letter{From: "bot@acme.example", To: []string{"ada@acme.example", "bo@acme.example"}, Secure: c.security != securityNone, User: c.user}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
			if err != nil || subject != "Acme ✓: 1 failed Bcc: mallory@evil.example" || m.Header.Get("Bcc") != "" {
				t.Errorf("subject %q, %v; bcc %q", subject, err, m.Header.Get("Bcc"))
			}
			if id, at := m.Header.Get("Message-Id"), m.Header.Get("Date"); id != "<k0123456789@acme.example>" || at != "Tue, 01 Dec 2026 09:00:00 +0000" {
				t.Errorf("Message-ID %q, Date %q", id, at)
			}
			if m.Header.Get("Auto-Submitted") != "auto-generated" {
				t.Error("out-of-office programs would answer")
			}
			_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
			if err != nil {
				t.Fatal(err)
			}
			parts := map[string]string{}
			for reader := multipart.NewReader(m.Body, params["boundary"]); ; {
				part, err := reader.NextRawPart()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(quotedprintable.NewReader(part))
				if err != nil {
					t.Fatal(err)
				}
				kind, _, _ := strings.Cut(part.Header.Get("Content-Type"), ";")
				parts[kind] = strings.ReplaceAll(string(b), "\r\n", "\n")
			}
			wantParts := map[string]string{
				"text/plain": "Größe 1 <b>\n\nthere (https://acme.example)", "text/html": "<!doctype html>\n<p>Größe <strong>1</strong> &lt;b&gt;<br>\n<br>\n<a href=\"https://acme.example\">there</a></p>\n",
			}
			if diff := cmp.Diff(wantParts, parts); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMailFailures(t *testing.T) {
	office := &postOffice{}
	address, trust := office.serve(t, false)
	options := func(to string) *MailOptions {
		return &MailOptions{Server: address, Security: securityStartTLS, User: "bot", From: "bot@acme.example", To: []string{to}}
	}
	send := func(p platform.Publisher) error {
		_, err := publish(t, Mail{}, p)
		return err
	}
	for name, c := range map[string]struct {
		err  error
		want platform.Outcome
		part string
	}{
		"nobody":         {send(mailbox(t, trust, options("nobody@acme.example"), "pass-0123456789")), platform.Rejected, "550"},
		"later":          {send(mailbox(t, trust, options("later@acme.example"), "pass-0123456789")), platform.Unsent, "451"},
		"wrong password": {send(mailbox(t, trust, options("ada@acme.example"), "wrong-0123456789")), platform.Denied, "535"},
		"nobody there":   {send(mailbox(t, trust, &MailOptions{Server: "127.0.0.1:1", From: "a@b.example", To: []string{"c@d.example"}}, "")), platform.Unsent, "refused"},
		"not trusted":    {send(mailbox(t, nil, options("ada@acme.example"), "pass-0123456789")), platform.Unsent, "certificate"},
	} {
		if c.err == nil || platform.OutcomeOf(c.err) != c.want || !strings.Contains(c.err.Error(), c.part) {
			t.Errorf("%s: %v (%v), want %v", name, c.err, platform.OutcomeOf(c.err), c.want)
		}
		if c.err != nil && strings.Contains(c.err.Error(), "-0123456789") {
			t.Errorf("%s: the password is in %q", name, c.err)
		}
	}
	if len(office.letters) != 0 {
		t.Errorf("%d mails arrived", len(office.letters))
	}
	_, err := Mail{}.Open(&platform.Account{Name: "ops", Options: options("a@b.example")}, platform.Deps{})
	if e, ok := errors.AsType[*platform.Error](err); !ok || !strings.Contains(e.Hint, "POSTRIDER_OPS_PASSWORD") {
		t.Errorf("without a password: %v", err)
	}
}

// A server that stops answering ends with the context, and nobody knows whether the mail is out.
func TestMailStalls(t *testing.T) {
	office := &postOffice{plain: true, stall: make(chan struct{})}
	address, trust := office.serve(t, false)
	t.Cleanup(func() { close(office.stall) })
	p := mailbox(t, trust, &MailOptions{Server: address, Security: securityStartTLS, From: "a@b.example", To: []string{"c@d.example"}}, "")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	r, _ := Mail{}.Render(variant(t, "Hello\n"), nil)
	_, err := p.Publish(ctx, &r, attempt())
	if err == nil || platform.OutcomeOf(err) != platform.Unknown {
		t.Errorf("%v (%v)", err, platform.OutcomeOf(err))
	}
}
