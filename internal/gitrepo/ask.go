package gitrepo

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

// Heads returns where references of a remote are, by full name, without those that it lacks, and brings nothing here. It is made to be asked
// again and again by somebody who keeps the repository open: it costs one request that tells of nothing else, and of a remote that is a folder on
// this machine a look at its files.
func (r *Repo) Heads(ctx context.Context, remote string, names ...string) (map[string]Hash, error) {
	ctx, cancel := r.limit(ctx)
	defer cancel()
	c, t, err := r.connect(ctx, "fetch", remote, false)
	if err != nil {
		return nil, err
	}
	if found, ok := r.folderHeads(t, names); ok {
		return found, nil
	}
	all, err := c.heads(ctx, names...)
	if err != nil {
		return nil, err
	}
	if w, ok := c.(*wire); ok && w.creds != nil && w.creds.source == fromHelper {
		r.helped.Store(w.creds)
	}
	maps.DeleteFunc(all, func(name string, _ Hash) bool { return !slices.Contains(names, name) })
	return all, nil
}

// answered returns the credentials with which a remote has answered before, if it was git's helpers that had them: they are not asked for each
// question. It is nil otherwise.
func (r *Repo) answered(address string) *credentials {
	if c := r.helped.Load(); c != nil && c.url.String() == address {
		return c
	}
	return nil
}

// folderHeads reads where references of a remote are that is a folder on this machine, from its files, as git's program would that is started
// there for a fetch. ok is false where only that can tell.
func (r *Repo) folderHeads(t target, names []string) (found map[string]Hash, ok bool) {
	dir := strings.TrimPrefix(t.url, "file://")
	if !filepath.IsAbs(dir) || dir != t.url && strings.Contains(dir, "%") || r.settings.get("remote."+t.name+".uploadpack") != "" {
		return nil, false
	}
	l, is, err := layoutAt(dir)
	if err != nil || !is {
		return nil, false
	}
	f, odd, err := l.requirements()
	if err != nil || odd != "" {
		return nil, false
	}
	refs := fileRefs{layout: l, format: f, opts: r.opts}
	found = map[string]Hash{}
	for _, name := range names {
		at, err := refs.ref(name)
		if err != nil {
			return nil, false // git says better what is wrong
		}
		if at != Zero {
			found[name] = at
		}
	}
	return found, true
}

// maxLsRefs bounds the answer to a question for a few references, in bytes.
const maxLsRefs = 1 << 20

// lsRefs asks a server where references are by the second version of git's protocol. That tells of those alone, while the first lists all, of which a
// repository has thousands whose posts come by pull requests. It is one request: the server keeps nothing between two, and what it can do need not be
// asked first. ok is false when it gives no such answer, for whatever reason; the old way then finds out why.
// https://git-scm.com/docs/protocol-v2#_ls_refs, https://git-scm.com/docs/http-protocol (checked 2026-11-22)
func (w *wire) lsRefs(ctx context.Context, names []string) (found map[string]Hash, ok bool) {
	if w.repo.noLsRefs.Load() {
		return nil, false
	}
	_, ep, _, err := w.session()
	if err != nil {
		return nil, false
	}
	var body bytes.Buffer
	e := pktline.NewEncoder(&body)
	if e.EncodeString("command=ls-refs\n") != nil {
		return nil, false
	}
	body.WriteString("0001") // here the arguments begin
	for _, name := range names {
		if e.EncodeString("ref-prefix "+name+"\n") != nil {
			return nil, false
		}
	}
	if e.Flush() != nil {
		return nil, false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, ep.String()+"/git-upload-pack", &body)
	if err != nil {
		return nil, false
	}
	const result = "application/x-git-upload-pack-result"
	for key, value := range map[string]string{
		"User-Agent": capability.DefaultAgent(), "Git-Protocol": "version=2", "Content-Type": "application/x-git-upload-pack-request", "Accept": result,
	} {
		req.Header.Set(key, value)
	}
	w.creds.SetAuth(req)
	client := *w.repo.httpClient()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return nil, false
	}
	defer resp.Body.Close() //nolint:errcheck // only read from
	if resp.StatusCode == http.StatusOK && resp.Header.Get("Content-Type") == result {
		found, ok = w.readRefs(io.LimitReader(resp.Body, maxLsRefs))
	}
	if !ok && ctx.Err() == nil && resp.StatusCode < http.StatusInternalServerError {
		w.repo.noLsRefs.Store(true) // as long as this repository is open
	}
	return found, ok
}

// readRefs reads the answer to ls-refs, to its end.
func (w *wire) readRefs(in io.Reader) (found map[string]Hash, ok bool) {
	found = map[string]Hash{}
	lines := pktline.NewScanner(in)
	for lines.Scan() {
		line := lines.Bytes()
		if len(line) == 0 {
			return found, !lines.Scan() && lines.Err() == nil // with it the connection is good for the next question
		}
		f := strings.Split(strings.TrimSuffix(string(line), "\n"), " ")
		if len(f) < 2 || !w.repo.format.valid(f[0]) || checkRefName(f[1]) != nil {
			return nil, false
		}
		found[f[1]] = Hash(f[0])
	}
	return nil, false
}

// Reconfigured reports whether the repository's own configuration has changed since it was opened: who keeps it open opens it anew then.
func (r *Repo) Reconfigured() bool { return r.stamp != stampOf(r.layout) }

// stamp is how a file was when it was looked at.
type stamp struct {
	size    int64
	changed time.Time
}

// stampOf looks at the configuration of a repository.
func stampOf(l layout) (s stamp) {
	if fi, err := os.Stat(filepath.Join(l.commonDir, "config")); err == nil {
		s = stamp{fi.Size(), fi.ModTime()}
	}
	return s
}
