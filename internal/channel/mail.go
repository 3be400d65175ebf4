package channel

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
)

// Mail is people's mailboxes, by SMTP. The zero value is ready for use.
type Mail struct {
	tls *tls.Config // for tests: whose certificates are good; nil: the system says
}

// MailOptions are the options of mail in site.yaml.
type MailOptions struct {
	Server   string   `yaml:"server" help:"The mail server, such as smtp.acme.example or smtp.acme.example:587."`
	Security string   `yaml:"security,omitempty" enum:"starttls,tls,none" help:"How the connection is kept private: starttls (port 587), tls (port 465), or none, for a server on this machine."`
	User     string   `yaml:"user,omitempty" help:"The name to log in with. Left out: no login."`
	From     string   `yaml:"from" help:"The sender's address, such as postrider@acme.example."`
	To       []string `yaml:"to" help:"The addresses that get the mail."`
}

// Validate implements [platform.OptionsValidator].
func (o *MailOptions) Validate() (problems []platform.OptionProblem) {
	add := func(key, message, hint string) {
		problems = append(problems, platform.OptionProblem{Key: key, Message: message, Hint: hint})
	}
	if _, _, err := o.address(); err != nil {
		add("server", err.Error(), "server: smtp.acme.example:587")
	}
	if _, err := netmail.ParseAddress(o.From); err != nil {
		add("from", fmt.Sprintf("%q is no mail address", o.From), "from: postrider@acme.example")
	}
	if len(o.To) == 0 {
		add("to", "nobody gets the mail", "to: [social@acme.example]")
	}
	for _, to := range o.To {
		if _, err := netmail.ParseAddress(to); err != nil {
			add("to", fmt.Sprintf("%q is no mail address", to), "to: [social@acme.example]")
		}
	}
	return problems
}

// The values of MailOptions.Security.
const (
	securityStartTLS = "starttls"
	securityTLS      = "tls"
	securityNone     = "none"
)

// address returns the server's host and port.
func (o *MailOptions) address() (host string, port int, err error) {
	host, port = o.Server, map[string]int{securityTLS: 465, securityNone: 25}[o.Security]
	if h, p, e := net.SplitHostPort(o.Server); e == nil {
		if port, err = strconv.Atoi(p); err != nil || port < 1 || port > 65535 {
			return "", 0, fmt.Errorf("%q is no port", p)
		}
		host = h
	}
	if host == "" || strings.ContainsAny(host, "/@ \t\r\n") {
		return "", 0, fmt.Errorf("%q is not the name of a mail server", o.Server)
	}
	return host, cmp.Or(port, 587), nil
}

// maxMail bounds a mail: nobody reads a longer one.
const maxMail = 20_000

// Info implements [platform.Adapter].
func (Mail) Info() platform.Info {
	return platform.Info{
		ID: "smtp", Name: "Mail", DocsURL: "https://www.rfc-editor.org/rfc/rfc5321",
		Limits:     []platform.Limit{{Name: "text", Max: maxMail, Unit: measure.CodePoints, Doc: "https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3", Verified: verified, Note: "our own bound"}},
		Caps:       platform.CanPublish,
		NewOptions: func() any { return &MailOptions{Security: securityStartTLS} },
		Secrets:    []platform.SecretSpec{{Name: "PASSWORD", Aliases: []string{"SMTP_PASSWORD"}, Optional: true, Help: "The password of the mail server's user."}},
	}
}

// MentionProblem implements [platform.Mentioner].
func (Mail) MentionProblem(string) string { return "a mail calls nobody: whoever is in `to` gets it" }

// Render implements [platform.Adapter].
func (Mail) Render(v *post.Variant, _ *platform.Account) (platform.Rendering, finding.List) {
	parts, list := plain(v, "mail")
	parts[0].Spans = nil
	d := &dialect{network: "mail"}
	return d.measured(v, platform.Rendering{Platform: "smtp", Title: v.Title, Parts: parts}, list, maxMail, measure.CodePoints, measure.CountCodePoints)
}

// Open implements [platform.Adapter].
func (m Mail) Open(a *platform.Account, d platform.Deps) (platform.Publisher, error) {
	o, err := platform.OptionsOf[MailOptions](a)
	if err != nil {
		return nil, err
	}
	password := d.Secrets["PASSWORD"]
	if o.User != "" && password.IsZero() {
		return nil, &platform.Error{Outcome: platform.Denied, Op: "open", Message: "there is no password for " + o.User, Hint: "set " + platform.EnvName(a.Name, "PASSWORD")}
	}
	host, port, err := o.address()
	if err != nil {
		return nil, &platform.Error{Outcome: platform.Unsent, Op: "open", Err: err}
	}
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	if m.tls != nil {
		secure = m.tls.Clone()
	}
	secure.ServerName = host
	options := []mail.Option{mail.WithPort(port), mail.WithTimeout(cmp.Or(d.Timeout, time.Minute)), mail.WithTLSConfig(secure)}
	switch o.Security {
	case securityTLS:
		options = append(options, mail.WithSSL())
	case securityNone:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if o.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(o.User), mail.WithPassword(password.Reveal()))
	}
	mailer := &mailer{o, host, &d, options, password}
	if _, err := mail.NewClient(host, options...); err != nil {
		return nil, mailer.failed("open", err, false)
	}
	return mailer, nil
}

type mailer struct {
	*MailOptions
	host     string
	deps     *platform.Deps
	options  []mail.Option
	password secret.String
}

// dial connects and logs in.
func (m *mailer) dial(ctx context.Context) (*mail.Client, error) {
	c, err := mail.NewClient(m.host, m.options...)
	if err != nil {
		return nil, err
	}
	return c, inTime(ctx, func() error { return c.DialWithContext(ctx) })
}

// inTime waits for something no longer than its context lives, though it knows only timeouts of its own, by which it then ends.
func inTime(ctx context.Context, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// failed classifies an error. creates says that a mail may have left.
func (m *mailer) failed(op string, err error, creates bool) error {
	e := &platform.Error{Outcome: platform.Unsent, Op: op, Message: secret.Scrub(err.Error(), m.password)}
	if creates {
		e.Outcome = platform.Unknown
	}
	if s, ok := errors.AsType[*mail.SendError](err); ok {
		switch code := s.ErrorCode(); {
		case code >= 500:
			e.Outcome = platform.Rejected
		case code >= 400:
			e.Outcome = platform.Unsent
		case s.Reason != mail.ErrSMTPDataClose && s.Reason != mail.ErrWriteContent && s.Reason != mail.ErrSMTPReset:
			e.Outcome = platform.Unsent // the mail itself was not handed over
		}
	}
	if strings.Contains(e.Message, "535") {
		e.Outcome, e.Hint = platform.Denied, "the name or password is wrong"
	}
	return e
}

// Verify implements [platform.Publisher]: it connects and logs in.
func (m *mailer) Verify(ctx context.Context) (platform.Identity, error) {
	c, err := m.dial(ctx)
	if err != nil {
		return platform.Identity{}, m.failed("log in", err, false)
	}
	inTime(ctx, c.Close) //nolint:errcheck // what was to be known is known
	return platform.Identity{ID: m.host, Handle: cmp.Or(m.User, m.From), Software: "mail"}, nil
}

// Publish implements [platform.Publisher]. Message-ID and Date are those of the attempt, so that a mail that is sent again is the same.
func (m *mailer) Publish(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	const op = "send mail"
	msg := mail.NewMsg()
	if err := errors.Join(msg.From(m.From), msg.To(m.To...)); err != nil {
		return platform.Receipt{}, &platform.Error{Outcome: platform.Unsent, Op: op, Err: err}
	}
	from, err := netmail.ParseAddress(m.From)
	if err != nil {
		return platform.Receipt{}, &platform.Error{Outcome: platform.Unsent, Op: op, Err: err}
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	id := a.Key + "@" + domain
	msg.SetMessageIDWithValue(id)
	msg.SetDateWithValue(a.At)
	msg.SetUserAgent("postrider")
	// So that out-of-office programs stay silent: https://www.rfc-editor.org/rfc/rfc3834#section-5 (2026-11-22)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.Subject(strings.Join(strings.Fields(r.Title), " "))
	msg.SetBodyString(mail.TypeTextPlain, asText(&r.Parts[0]))
	msg.AddAlternativeString(mail.TypeTextHTML, "<!doctype html>\n<p>"+asHTML(&r.Parts[0])+"</p>\n")
	c, err := m.dial(ctx)
	if err != nil {
		return platform.Receipt{}, m.failed(op, err, false)
	}
	if err := inTime(ctx, func() error { return c.Send(msg) }); err != nil {
		return platform.Receipt{}, m.failed(op, err, true) // the connection ends by its timeout: it may hang
	}
	inTime(ctx, c.Close) //nolint:errcheck // the mail is accepted
	return receipt(id, "", m.deps), nil
}
