package content

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/post"
)

// maxMedia bounds the media of one post; no network takes more than a few dozen.
const maxMedia = 200

// attach finds m.Path for m.File and fills in what the file's bytes say. It reports whether there is a
// path; whatever else is wrong is a finding, and the post keeps the medium for its preview.
func (r *reader) attach(m *post.Media) bool {
	if r.mediaCount++; r.mediaCount > maxMedia {
		if r.mediaCount == maxMedia+1 {
			r.add(codeMediaPath, finding.Error, m.Range, fmt.Sprintf("the post has more than %d media", maxMedia), "")
		}
		return false
	}
	bad := func(message, hint string) bool {
		r.add(codeMediaPath, finding.Error, m.Range, message, hint)
		return false
	}
	file := m.File
	switch i := strings.Index(file, "://"); {
	case file == "":
		return bad("the name of the file is empty", "write a path relative to the post's file")
	case strings.HasPrefix(file, "//"), i > 0 && isName(file[:i]), strings.HasPrefix(file, "data:"):
		r.add(codeRemote, finding.Error, m.Range, fmt.Sprintf("%s is not a file of this site", quote(shorten(file))),
			"save it next to the post and name it here: what reviewers see is then what is sent")
		return false
	case strings.ContainsAny(file, "\\\x00"):
		return bad(fmt.Sprintf("%s is not a path", quote(file)), "separate folders with /")
	}
	name := path.Join(path.Dir(r.path), file)
	if strings.HasPrefix(file, "/") {
		name = path.Clean(file[1:])
	}
	if !fs.ValidPath(name) || name == "." {
		return bad(fmt.Sprintf("%s is outside the site", quote(file)), "move it into the site's folder")
	}
	m.Path = name
	if r.fsys == nil {
		return true
	}
	real, err := r.shared.links.follow(r.fsys, name)
	if errors.Is(err, errOutside) {
		r.add(codeMediaLink, finding.Error, m.Range, fmt.Sprintf("%s is a symbolic link that leads out of the site", quote(file)), "put the file itself there")
		return true
	}
	if errors.Is(err, errHidden) {
		r.add(codeMediaLink, finding.Error, m.Range, fmt.Sprintf("%s is a symbolic link to what is hidden in the site", quote(file)), "put the file itself there")
		return true
	}
	if err == nil {
		m.Path = real
		var info media.Info
		if info, err = r.probe(real); err == nil {
			m.MIME, m.Digest, m.Bytes, m.Width, m.Height, m.Animated = info.MIME, info.Digest, info.Bytes, info.Width, info.Height, info.Animated
			m.Turned, m.Transparent, m.Metadata, m.Place = info.Turned, info.Transparent, info.Metadata, info.Place
			m.Frames, m.Duration, m.Codec, m.Pages = info.Frames, info.Duration, info.Codec, info.Pages
			r.misnamed(m, name)
			return true
		}
	}
	r.broken(m, name, err)
	return true
}

func (r *reader) probe(name string) (media.Info, error) {
	if r.o.Media != nil {
		return r.o.Media.Probe(r.fsys, name)
	}
	return media.Probe(r.fsys, name)
}

// misnamed warns of a file that is something else than its name says. MP4, MOV and M4A are one family, whose names people use as they
// like.
func (r *reader) misnamed(m *post.Media, name string) {
	says, is := media.Named(name), media.Kind(m.MIME)
	family := func(kind string) bool { return kind == "MP4" || kind == "MOV" || kind == "M4A" }
	if says == "" || says == is || family(says) && family(is) {
		return
	}
	r.add(codeMisnamed, finding.Warning, m.Range, fmt.Sprintf("%s is called %s, and is %s", quote(m.File), says, is),
		"rename it to "+quote(media.Rename(m.File, is)))
}

// broken reports why a medium could not be probed.
func (r *reader) broken(m *post.Media, name string, err error) {
	file := quote(m.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		hint := fmt.Sprintf("save it as %s", name)
		if n := Nearest(path.Base(name), r.shared.listing(r.fsys, path.Dir(name))); n != "" {
			hint = "did you mean " + quote(strings.TrimSuffix(m.File, path.Base(m.File))+n) + "?"
		}
		r.add(codeMediaMissing, finding.Error, m.Range, fmt.Sprintf("%s does not exist", file), hint)
		r.mendFile(m, name)
	case errors.Is(err, media.ErrEmpty):
		r.add(codeMediaEmpty, finding.Error, m.Range, fmt.Sprintf("%s is empty", file), "save the picture again")
	case errors.Is(err, media.ErrNotMedia):
		r.notMedia(file, name, m.Range, err)
	case errors.Is(err, media.ErrBroken):
		r.add(codeNoImage, finding.Error, m.Range, fmt.Sprintf("%s is damaged: %v", file, strings.TrimPrefix(reason(err).Error(), media.ErrBroken.Error()+": ")),
			"export it again, or restore it from where it came")
	case errors.Is(err, media.ErrBomb):
		r.add(codeMediaBomb, finding.Error, m.Range, fmt.Sprintf("%s unfolds into %s", file, strings.TrimPrefix(reason(err).Error(), media.ErrBomb.Error()+": ")),
			fmt.Sprintf("save it smaller: no more than %d million pixels", media.MaxArea/1_000_000))
	case errors.Is(err, media.ErrLocked):
		r.add(codeMediaLocked, finding.Error, m.Range, fmt.Sprintf("%s is protected by a password", file), "save it without one: networks could not show it")
	case errors.Is(err, media.ErrTooLarge):
		r.add(codeMediaLarge, finding.Error, m.Range, fmt.Sprintf("%s is larger than %d MiB", file, media.MaxBytes>>20), "export it smaller")
	case errors.Is(err, media.ErrFolder):
		r.add(codeNotMedia, finding.Error, m.Range, fmt.Sprintf("%s is a folder", file), "name a file in it")
	default:
		r.add(codeMediaUnreadable, finding.Error, m.Range, fmt.Sprintf("%s cannot be read: %v", file, reason(err)), "check the file's permissions")
	}
}

// notMedia reports a file that is nothing that networks take, by what its name says and by what it is.
func (r *reader) notMedia(file, name string, at finding.Range, err error) {
	is := ""
	if known := (*media.NotMediaError)(nil); errors.As(err, &known) {
		is = known.Kind
	}
	hint := "export it as JPEG, PNG, GIF or WebP"
	if strings.Contains(is, "LFS") {
		hint = "fetch it first: git lfs pull"
	}
	switch says := media.Named(name); {
	case hasImageName(name) && is == "":
		r.add(codeNoImage, finding.Error, at, fmt.Sprintf("%s is called %s, and its bytes are no picture", file, says), hint)
	case hasImageName(name) && is == says:
		r.add(codeNoImage, finding.Error, at, fmt.Sprintf("%s is %s, which no network takes", file, is), hint)
	case hasImageName(name):
		r.add(codeNoImage, finding.Error, at, fmt.Sprintf("%s is called %s, and is %s", file, says, is), hint)
	case is != "" && says != "" && is != says:
		r.add(codeNotMedia, finding.Error, at, fmt.Sprintf("%s is called %s, and is %s", file, says, is), "use JPEG, PNG, GIF, WebP, MP4, MOV, WebM or PDF")
	default:
		r.add(codeNotMedia, finding.Error, at, fmt.Sprintf("%s is no picture, video or PDF", file), "use JPEG, PNG, GIF, WebP, MP4, MOV, WebM or PDF")
	}
}

// reason returns an error without the path around it.
func reason(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func hasImageName(name string) bool {
	switch media.Named(name) {
	case "JPEG", "PNG", "GIF", "WebP", "HEIC", "AVIF", "BMP", "TIFF", "SVG":
		return true
	}
	return false
}

// listing returns the names of a folder's files, nil when it cannot be read.
func (s *shared) listing(fsys fs.FS, dir string) []string {
	if names, ok := s.folders.Load(dir); ok {
		return names.([]string)
	}
	entries, _ := fs.ReadDir(fsys, dir)
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	names = slices.Clip(names)
	s.folders.Store(dir, names)
	return names
}
