package gitrepo

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/idxfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"
	"golang.org/x/net/http/httpproxy"
)

// wire talks to a remote in this process, with go-git's implementation of the pack protocol. It uses
// its sessions, not its Push and Fetch: those walk the history.
type wire struct {
	repo   *Repo
	op     string
	target target
	cfg    config
	url    *url.URL // nil for SSH

	creds *credentials // HTTP
	agent *agentAuth   // SSH

	// What heads has read over HTTP, where a session outlives its requests, is good for the fetch that follows.
	upload    transport.UploadPackSession
	uploadAdv *packp.AdvRefs
}

// pushed is what is known of a remote after a push over HTTP: the next one need not ask.
type pushed struct {
	url, ref string
	copies   []string
	at       Hash
	session  transport.ReceivePackSession
	adv      *packp.AdvRefs // for what the server can do
	creds    *credentials
}

// httpClient returns the client that all HTTP remotes of this repository share, for its connections.
func (r *Repo) httpClient() *http.Client {
	r.httpOnce.Do(func() {
		if r.http = r.opts.HTTP; r.http != nil {
			return
		}
		proxy := httpproxy.Config{
			HTTPProxy:  firstEnv(r.opts.Env, "HTTP_PROXY", "http_proxy"),
			HTTPSProxy: firstEnv(r.opts.Env, "HTTPS_PROXY", "https_proxy"),
			NoProxy:    firstEnv(r.opts.Env, "NO_PROXY", "no_proxy"),
		}
		find := proxy.ProxyFunc()
		r.http = &http.Client{Transport: &http.Transport{
			Proxy:                 func(req *http.Request) (*url.URL, error) { return find(req.URL) },
			DialContext:           (&net.Dialer{Timeout: 20 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:   15 * time.Second,
			ResponseHeaderTimeout: 2 * time.Minute,
			IdleConnTimeout:       90 * time.Second,
			ForceAttemptHTTP2:     true,
		}}
	})
	return r.http
}

func firstEnv(env func(string) string, names ...string) string {
	for _, n := range names {
		if v := env(n); v != "" {
			return v
		}
	}
	return ""
}

// session opens a session of either kind. SSH sessions serve one request, HTTP ones cost nothing.
func (w *wire) session() (transport.Transport, *transport.Endpoint, transport.AuthMethod, error) {
	if w.url == nil {
		ep, err := transport.NewEndpoint(w.target.url)
		if err != nil {
			return nil, nil, nil, err
		}
		if w.agent, err = newAgentAuth(w.repo.opts.Env, ep); err != nil {
			return nil, nil, nil, err
		}
		return gitssh.DefaultClient, ep, w.agent, nil
	}
	if w.creds == nil {
		w.creds = newCredentials(w.repo, w.cfg, w.url)
		if w.creds.source != "" {
			w.repo.opts.Log.Debug("git credentials", "host", w.url.Host, "from", w.creds.source)
		}
	}
	plain := *w.url
	plain.User = nil // go-git would put it into errors
	ep, err := transport.NewEndpoint(strings.TrimSuffix(plain.String(), "/"))
	return githttp.NewClient(w.repo.httpClient()), ep, w.creds, err
}

// advertised opens a session and reads what the remote has. When the server wants a password and
// there is none yet, git's credential helpers are asked and it is tried again.
func advertised[S transport.Session](ctx context.Context, w *wire,
	open func(transport.Transport, *transport.Endpoint, transport.AuthMethod) (S, error),
) (s S, adv *packp.AdvRefs, err error) {
	for {
		t, ep, auth, err := w.session()
		if err != nil {
			return s, nil, w.wrap(ctx, err)
		}
		if s, err = open(t, ep, auth); err == nil {
			adv, err = s.AdvertisedReferencesContext(ctx)
		}
		if errors.Is(err, transport.ErrEmptyRemoteRepository) {
			adv, err = packp.NewAdvRefs(), nil
		}
		if err == nil {
			if w.creds != nil {
				w.creds.tell(ctx, true)
			}
			return s, adv, nil
		}
		if w.creds != nil && (errors.Is(err, transport.ErrAuthenticationRequired) || errors.Is(err, transport.ErrAuthorizationFailed)) {
			if w.creds.helper != nil {
				w.creds.tell(ctx, false)
			} else if w.creds.askHelper(ctx) {
				continue
			}
		}
		return s, nil, w.wrap(ctx, err)
	}
}

func openUpload(t transport.Transport, ep *transport.Endpoint, a transport.AuthMethod) (transport.UploadPackSession, error) {
	return t.NewUploadPackSession(ep, a)
}

func openReceive(t transport.Transport, ep *transport.Endpoint, a transport.AuthMethod) (transport.ReceivePackSession, error) {
	return t.NewReceivePackSession(ep, a)
}

// done ends a session whose answer is read.
func (w *wire) done(s transport.Session) {
	s.Close() //nolint:errcheck // nothing was promised after the answer
	if w.agent != nil {
		w.agent.close()
	}
}

func headsOf(adv *packp.AdvRefs) map[string]Hash {
	out := map[string]Hash{}
	for name, h := range adv.References {
		if interesting(name) {
			out[name] = Hash(h.String())
		}
	}
	return out
}

func (w *wire) heads(ctx context.Context, names ...string) (map[string]Hash, error) {
	if len(names) > 0 && w.url != nil {
		if found, ok := w.lsRefs(ctx, names); ok {
			return found, nil
		}
	}
	s, adv, err := advertised(ctx, w, openUpload)
	if err != nil {
		return nil, err
	}
	if w.url != nil {
		w.upload, w.uploadAdv = s, adv
	} else {
		w.done(s)
	}
	return headsOf(adv), nil
}

// head implements conn: the default branch is told among the capabilities.
func (w *wire) head(ctx context.Context) (string, error) {
	s, adv, err := advertised(ctx, w, openUpload)
	if err != nil {
		return "", err
	}
	defer w.done(s)
	for _, pair := range adv.Capabilities.Get(capability.SymRef) {
		if from, to, _ := strings.Cut(pair, ":"); from == "HEAD" {
			return to, nil
		}
	}
	return "", nil
}

// maxHaves bounds what is told to the remote about what is here already.
const maxHaves = 64

func (w *wire) fetch(ctx context.Context, want []Hash, specs []refspec, depth int) error {
	s, adv := w.upload, w.uploadAdv
	if s == nil {
		var err error
		if s, adv, err = advertised(ctx, w, openUpload); err != nil {
			return err
		}
	}
	defer w.done(s)
	req := packp.NewUploadPackRequestFromCapabilities(adv.Capabilities)
	for _, h := range want {
		req.Wants = append(req.Wants, plumbing.NewHash(string(h)))
	}
	boundary, err := w.repo.shallow()
	if err != nil {
		return err
	}
	if len(boundary) > 0 {
		if err := req.Capabilities.Set(capability.Shallow); err != nil {
			return err
		}
		for h := range boundary {
			req.Shallows = append(req.Shallows, plumbing.NewHash(string(h)))
		}
		if depth > 0 {
			req.Depth = packp.DepthCommits(depth)
		}
	}
	if req.Haves, err = w.haves(ctx, specs); err != nil {
		return err
	}
	res, err := s.UploadPack(ctx, req)
	if err != nil {
		return w.wrap(ctx, err)
	}
	defer res.Close() //nolint:errcheck // only read from
	var in io.Reader = res
	switch {
	case req.Capabilities.Supports(capability.Sideband64k):
		in = sideband.NewDemuxer(sideband.Sideband64k, res)
	case req.Capabilities.Supports(capability.Sideband):
		in = sideband.NewDemuxer(sideband.Sideband, res)
	}
	if err := w.storePack(in); err != nil {
		return w.wrap(ctx, err)
	}
	return w.repo.updateShallow(ctx, hashes(res.Shallows), hashes(res.Unshallows))
}

func hashes(in []plumbing.Hash) []Hash {
	out := make([]Hash, len(in))
	for i, h := range in {
		out[i] = Hash(h.String())
	}
	return out
}

// haves returns commits that the remote probably has: where the branches of interest were when they
// were last fetched, and the current branch, with some of their ancestors in case it has not.
func (w *wire) haves(ctx context.Context, specs []refspec) ([]plumbing.Hash, error) {
	var out []plumbing.Hash
	seen := map[Hash]bool{}
	names := []string{"HEAD"}
	for _, s := range specs {
		if s.dst != "" { // else it is a commit by its id
			names = append(names, s.dst, s.src)
		}
	}
	if def, err := w.repo.RemoteBranch(ctx, w.target.name, false); err == nil && def != "" && w.target.tracking {
		names = append(names, "refs/remotes/"+w.target.name+"/"+def)
	}
	for _, n := range names {
		tip, err := w.repo.back.ref(n)
		if err != nil || tip == Zero {
			continue
		}
		err = w.repo.Log(tip, 16, func(c CommitInfo) error {
			if seen[c.Hash] || len(out) >= maxHaves {
				return errStop
			}
			seen[c.Hash] = true
			out = append(out, plumbing.NewHash(string(c.Hash)))
			return nil
		})
		if err != nil && !errors.Is(err, errStop) && !errors.Is(err, errMissing) {
			return nil, err
		}
	}
	return out, nil
}

var errStop = errors.New("enough")

// storePack writes and indexes a pack that the remote sends, and syncs it.
func (w *wire) storePack(in io.Reader) error {
	files := &packFS{Filesystem: osfs.New(w.repo.layout.commonDir, osfs.WithBoundOS()), root: w.repo.layout.commonDir}
	pw, err := dotgit.New(files).NewObjectPack()
	if err != nil {
		return notWritable(err)
	}
	var sum string
	pw.Notify = func(h plumbing.Hash, _ *idxfile.Writer) { sum = h.String() }
	_, err = io.Copy(pw, in)
	if err = errors.Join(err, pw.Close()); err != nil {
		return notWritable(errors.Join(err, files.removeTemps()))
	}
	if sum == "" {
		return nil // an empty pack
	}
	name := filepath.Join(w.repo.layout.commonDir, "objects", "pack", "pack-"+sum)
	names := []string{name + ".pack"}
	if files.index != "" {
		names = append(names, files.path(files.index))
	}
	var written []*os.File
	for _, n := range names {
		f, err := os.Open(n)
		if err != nil {
			return notWritable(err)
		}
		written = append(written, f)
	}
	if err = syncAll(written); err == nil && files.index != "" { // else it is here already
		err = os.Rename(files.path(files.index), name+".idx")
	}
	return notWritable(err)
}

// updateShallow rewrites the list of commits at which the history is cut off, under git's lock.
func (r *Repo) updateShallow(ctx context.Context, add, remove []Hash) error {
	if len(add) == 0 && len(remove) == 0 {
		return nil
	}
	path := filepath.Join(r.layout.commonDir, "shallow")
	l, err := takeLock(ctx, r.opts, r.layout.commonDir, path, func() error { return nil })
	if err != nil {
		return err
	}
	now, err := r.shallow()
	if err == nil {
		set := map[string]bool{}
		for h := range now {
			set[string(h)] = true
		}
		for _, h := range add {
			set[string(h)] = true
		}
		for _, h := range remove {
			delete(set, string(h))
		}
		var content string
		if content, err = prepare(r.layout.commonDir, strings.Join(append(sortedKeys(set), ""), "\n")); err == nil {
			err = notWritable(os.Rename(content, path))
		}
	}
	if err = errors.Join(err, l.release()); err != nil {
		return err
	}
	r.shallowMu.Lock()
	r.shallowSet = nil
	r.shallowMu.Unlock()
	return nil
}

func (w *wire) push(ctx context.Context, m move) (sent bool, err error) {
	s, adv, heads, err := w.openPush(ctx, m)
	if err != nil {
		return false, err
	}
	defer w.done(s)
	if len(m.copies) > 0 && !adv.Capabilities.Supports(capability.Atomic) {
		return false, errNotAtomic
	}
	known := map[Hash]bool{}
	for _, h := range heads {
		known[h] = true
	}
	objects, err := w.repo.missingObjects(m.old, m.new, known, m.replace)
	if errors.Is(err, errMerge) && w.repo.git != nil {
		c := &gitConn{repo: w.repo, op: w.op, target: w.target, auth: w.creds}
		return c.push(ctx, m)
	}
	if err != nil {
		return false, fmt.Errorf("push %s: %w", m.ref, err)
	}
	pack, err := encodePack(objects, w.repo.format)
	if err != nil {
		return false, err
	}
	req := packp.NewReferenceUpdateRequestFromCapabilities(adv.Capabilities)
	var words bytes.Buffer
	if adv.Capabilities.Supports(capability.Sideband64k) {
		if err := req.Capabilities.Set(capability.Sideband64k); err != nil {
			return false, err
		}
		req.Progress = &words
	}
	command := func(ref string, old Hash) *packp.Command {
		return &packp.Command{Name: plumbing.ReferenceName(ref), Old: plumbing.NewHash(string(old)), New: plumbing.NewHash(string(m.new))}
	}
	req.Commands = []*packp.Command{command(m.ref, m.old)}
	for _, name := range m.copies {
		if heads[name] != m.new {
			req.Commands = append(req.Commands, command(name, heads[name]))
		}
	}
	if len(req.Commands) > 1 { // a branch that has moved meanwhile must not leave a copy behind
		if err := req.Capabilities.Set(capability.Atomic); err != nil {
			return false, err
		}
	}
	req.Packfile = io.NopCloser(bytes.NewReader(pack))
	report, err := s.ReceivePack(ctx, req)
	if report != nil {
		if report.UnpackStatus != "ok" {
			return true, w.fail(ErrRefused, "unpack: "+report.UnpackStatus+serverWords(words.String()), nil)
		}
		for _, c := range report.CommandStatuses {
			if c.Status != "ok" {
				return true, w.fail(ErrRefused, c.Status+serverWords(words.String()), nil)
			}
		}
		if w.url != nil {
			w.repo.lastPush.Store(&pushed{w.target.url, m.ref, m.copies, m.new, s, adv, w.creds})
		}
		return true, nil
	}
	if err == nil {
		err = errors.New("the server closed the connection without an answer")
	}
	return true, w.wrap(ctx, err)
}

// openPush begins a push and returns the references that the remote is known to have. A branch that this process has
// itself just pushed to where it is to be moved from is not asked for again: if somebody has moved it meanwhile, the
// server refuses, as it must in any case.
func (w *wire) openPush(ctx context.Context, m move) (transport.ReceivePackSession, *packp.AdvRefs, map[string]Hash, error) {
	last := w.repo.lastPush.Swap(nil)
	if last != nil && m.old != Zero && last.url == w.target.url && last.ref == m.ref && last.at == m.old && slices.Equal(last.copies, m.copies) {
		w.creds = last.creds
		heads := map[string]Hash{m.ref: m.old}
		for _, name := range m.copies {
			heads[name] = m.old
		}
		return last.session, last.adv, heads, nil
	}
	s, adv, err := advertised(ctx, w, openReceive)
	if err != nil {
		return nil, nil, nil, err
	}
	heads := headsOf(adv)
	if have := heads[m.ref]; have != m.old {
		w.done(s)
		return nil, nil, nil, &MovedError{Ref: m.ref, Remote: w.target.display(), Want: m.old, Have: have}
	}
	return s, adv, heads, nil
}

// serverWords joins what a hook printed into one line.
func serverWords(s string) string {
	var lines []string
	for l := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '\n' || r == '\r' }) {
		l = strings.TrimSpace(strings.TrimPrefix(l, "remote:"))
		if l != "" && !slices.Contains(lines, l) {
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	const most = 20
	return ": " + strings.Join(lines[max(0, len(lines)-most):], "; ")
}

// encodePack makes a pack of whole objects
// (https://git-scm.com/docs/gitformat-pack, checked 2026-11-21).
func encodePack(objects []newObject, f objectFormat) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("PACK\x00\x00\x00\x02")
	b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(objects)))) //nolint:gosec // far below 2^32
	z, err := zlib.NewWriterLevel(&b, zlib.DefaultCompression)
	if err != nil {
		return nil, err
	}
	types := map[objectKind]byte{kindCommit: 1, kindTree: 2, kindBlob: 3}
	for _, o := range objects {
		n := len(o.data)
		c := types[o.kind]<<4 | byte(n&15)
		for n >>= 4; n > 0; n >>= 7 {
			b.WriteByte(c | 0x80)
			c = byte(n & 0x7f)
		}
		b.WriteByte(c)
		z.Reset(&b)
		if _, err := z.Write(o.data); err != nil {
			return nil, err
		}
		if err := z.Close(); err != nil {
			return nil, err
		}
	}
	h := f.new()
	h.Write(b.Bytes())
	return h.Sum(b.Bytes()), nil
}

// fail makes the error of this conversation.
func (w *wire) fail(kind error, detail string, cause error) error {
	return &RemoteError{
		Op: w.op, Remote: w.target.display(), URL: redactURL(w.target.url),
		Kind: kind, Detail: w.creds.scrub(detail), Cause: cause,
	}
}

// wrap classifies an error of go-git or the network. The original is not kept: it may quote a request.
func (w *wire) wrap(ctx context.Context, err error) error {
	var own *RemoteError
	if err == nil || errors.As(err, &own) {
		return err
	}
	if errors.Is(err, ErrNotWritable) {
		return err
	}
	detail := strings.TrimSpace(oneLine(innermost(err)))
	var status *githttp.Err
	switch {
	case ctx.Err() != nil:
		return w.fail(ErrUnreachable, context.Cause(ctx).Error(), ctx.Err())
	case errors.Is(err, transport.ErrAuthenticationRequired), errors.Is(err, transport.ErrAuthorizationFailed),
		errors.Is(err, transport.ErrInvalidAuthMethod), w.url == nil && isSSHAuth(err):
		return w.fail(ErrAuth, detail+w.authHint(), nil)
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return w.fail(ErrUnreachable, "the server has no such repository, or these credentials may not see it"+w.authHint(), nil)
	case errors.As(err, &status):
		return w.fail(ErrUnreachable, strings.TrimSpace(fmt.Sprintf("HTTP status %d %s", status.StatusCode(), oneLine(status.Reason))), nil)
	}
	return w.fail(ErrUnreachable, detail, nil)
}

// isSSHAuth tells a refused login or host from a network that is down: neither has a type.
func isSSHAuth(err error) bool {
	for _, s := range []string{"unable to authenticate", "knownhosts:", "known hosts", "SSH agent"} {
		if strings.Contains(err.Error(), s) {
			return true
		}
	}
	return false
}

// authHint says which credentials were tried, so that a person knows which to replace.
func (w *wire) authHint() string {
	switch {
	case w.creds == nil:
		return ""
	case w.creds.source == "":
		return " (no credentials found: set POSTRIDER_GIT_TOKEN)"
	default:
		return fmt.Sprintf(" (with the credentials from %s)", w.creds.source)
	}
}

// innermost strips the wrappers that repeat the URL.
func innermost(err error) string {
	var u *url.Error
	if errors.As(err, &u) && u.Err != nil {
		return u.Err.Error()
	}
	return err.Error()
}

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 500 {
		s = strings.ToValidUTF8(s[:500], "") + " …"
	}
	return s
}
