package draft

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/content"
)

// moving keeps this process from changing two files at once, since between looking at a file and replacing it nobody else
// may do so.
var moving sync.Mutex

// Move gives a post another time to go out at, in its file, as [Reschedule] does. The name is slash-separated and relative to
// root, the site's folder. The caller has seen the file whose SHA-256 is source (see post.Post.Source): one that has changed
// since is refused. It returns the new file's SHA-256.
//
// The file is replaced in one step: readers and crashes find the old or the new. Whether the post is out already is the
// caller's to know. Why a file was left alone is a [RefusedError].
func Move(root *os.Root, name, source string, at time.Time, o content.Options) (string, error) {
	moving.Lock()
	defer moving.Unlock()
	src, perm, err := readPost(root, name, o.MaxBytes)
	if err != nil {
		return "", err
	}
	if digest(src) != source {
		return "", &RefusedError{Path: name, Reason: Changed}
	}
	changed, err := Reschedule(src, name, at, o)
	if err != nil || bytes.Equal(src, changed) {
		return source, err
	}
	if err := replace(root, name, changed, perm, unchanged(root, name, src)); err != nil {
		return "", err
	}
	return digest(changed), nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
