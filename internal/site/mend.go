package site

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/finding"
)

// Mended is a file of a site as fixes make it.
type Mended struct {
	Path          string
	Before, After []byte
	Fixes         []finding.Fix // those that were carried out, in the order of their places
}

// Mend carries out the fixes of findings about the snapshot's files, in memory, and reads what comes of it: a file that would then be wrong in
// another way is not among those that it returns, sorted by path. What only comes to light does not count: a file that could not be
// read, or whose misspelt platforms nobody got, has shown nothing of what a network does not take.
func (s *Snapshot) Mend(ctx context.Context, found finding.List) ([]Mended, error) {
	fixes := map[string][]finding.Fix{}
	for i := range found {
		if f := &found[i]; f.Fix.Given() {
			fixes[f.Path] = append(fixes[f.Path], f.Fix)
		}
	}
	var all []Mended
	changed := overlay{FS: s.fsys, files: map[string][]byte{}}
	for _, path := range slices.Sorted(maps.Keys(fixes)) {
		src, err := fs.ReadFile(s.fsys, path)
		if err != nil {
			return nil, fmt.Errorf("mend what is wrong: %w", err)
		}
		out, done := finding.Apply(src, fixes[path])
		if len(done) > 0 {
			all = append(all, Mended{path, src, out, done})
			changed.files[path] = out
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	after, err := s.In(changed).Update(ctx, s.o, slices.Collect(maps.Keys(changed.files))...)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(m Mended) bool { return after.worse(s, m.Path) }), nil
}

// worse reports whether a file is wrong in a way in which it was not in another snapshot.
func (s *Snapshot) worse(than *Snapshot, name string) bool {
	type kind struct {
		code             finding.Code
		account, message string
	}
	had := map[kind]int{}
	before, read := than.wrongWith(name)
	for _, f := range before {
		had[kind{f.Code, f.Account, f.Message}]++
	}
	now, readable := s.wrongWith(name)
	if !read && readable {
		return false
	}
	return slices.ContainsFunc(now, func(f finding.Finding) bool {
		if f.Severity == finding.Info || strings.IndexByte("TMPKL", f.Code[0]) >= 0 { // what a network shows and takes
			return false
		}
		k := kind{f.Code, f.Account, f.Message}
		had[k]--
		return had[k] < 0
	})
}

// wrongWith returns what is wrong with a file by itself, and whether it could be read.
func (s *Snapshot) wrongWith(name string) (found finding.List, read bool) {
	if name == config.File {
		found = about(s.Findings, name)
		return found, !slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Code == config.CodeSyntax || f.Code == config.CodeMissing })
	}
	p, ok := s.at(name)
	if !ok {
		return nil, false
	}
	return s.CheckPost(p), !p.Unread
}

// overlay is a site's folder in which some files have other content.
type overlay struct {
	fs.FS
	files map[string][]byte
}

// Open implements [fs.FS].
func (o overlay) Open(name string) (fs.File, error) {
	if b, ok := o.files[name]; ok {
		f := &patched{size: int64(len(b)), Reader: bytes.NewReader(b)}
		var err error
		f.FileInfo, err = fs.Stat(o.FS, name)
		return f, err
	}
	return o.FS.Open(name)
}

// ReadFile implements [fs.ReadFileFS].
func (o overlay) ReadFile(name string) ([]byte, error) {
	if b, ok := o.files[name]; ok {
		return slices.Clone(b), nil
	}
	return fs.ReadFile(o.FS, name)
}

// ReadDir implements [fs.ReadDirFS].
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(o.FS, name) }

// Lstat implements [fs.ReadLinkFS].
func (o overlay) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(o.FS, name) }

// ReadLink implements [fs.ReadLinkFS].
func (o overlay) ReadLink(name string) (string, error) { return fs.ReadLink(o.FS, name) }

// patched is an open file of an overlay, and what is known of it.
type patched struct {
	*bytes.Reader
	fs.FileInfo
	size int64
}

// Stat implements [fs.File].
func (p *patched) Stat() (fs.FileInfo, error) { return p, nil }

// Close implements [fs.File].
func (p *patched) Close() error { return nil }

// Size implements [fs.FileInfo].
func (p *patched) Size() int64 { return p.size }

// ModTime implements [fs.FileInfo]: the content is new.
func (p *patched) ModTime() time.Time { return time.Time{} }
