package media

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Fitter carries out recipes, remembers what came of them, and never works on more pictures at once than fit into some 200 MB. The zero Fitter
// remembers nothing and is ready for use, by several goroutines at once.
type Fitter struct {
	Dir    string // a folder for what was made, which may be shared and may be thrown away; "" for none
	Memory int64  // how many bytes of pictures are kept in memory

	mu     sync.Mutex
	made   map[string]*fitted
	order  []string // of made, oldest first
	bytes  int64
	free   *sync.Cond // of mu
	inUse  int64
	tidied sync.Once
}

// fitted is a picture that is being made, or is made once done is closed.
type fitted struct {
	done chan struct{}
	data []byte
	err  error
}

// maxWork is the memory that decoded pictures may take at once; a single one may take more. maxDir is how large the folder grows.
const (
	maxWork = 200 << 20
	maxDir  = 256 << 20
)

// Fit is [Fit] for bytes with the given digest, which the caller has verified. The result is shared and must not be changed.
func (f *Fitter) Fit(digest string, source []byte, r Recipe) ([]byte, error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %+v", digest, r))
	key := hex.EncodeToString(sum[:])
	f.mu.Lock()
	if e, ok := f.made[key]; ok {
		f.mu.Unlock()
		<-e.done
		return e.data, e.err
	}
	e := &fitted{done: make(chan struct{})}
	if f.made == nil {
		f.made = map[string]*fitted{}
	}
	f.made[key] = e // whoever asks meanwhile waits for this one
	f.mu.Unlock()

	if e.data = f.load(key); e.data == nil {
		release := f.acquire(work(source))
		e.data, e.err = Fit(source, r)
		release()
		if e.err == nil {
			f.save(key, e.data)
		}
	}
	close(e.done)
	f.keep(key, int64(len(e.data)))
	return e.data, e.err
}

// keep remembers the newest results, as far as there is memory for them.
func (f *Fitter) keep(key string, size int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.order = append(f.order, key)
	f.bytes += size
	for len(f.order) > 0 && (f.bytes > f.Memory || f.Memory == 0) {
		oldest := f.order[0]
		f.bytes -= int64(len(f.made[oldest].data))
		delete(f.made, oldest)
		f.order = f.order[1:]
	}
}

// work estimates the memory that a picture needs.
func work(source []byte) int64 {
	in, err := examine(source)
	if err != nil {
		return 0
	}
	perPixel := int64(8) // four bytes, and as many again when it must be converted
	if in.MIME == "image/jpeg" {
		perPixel = 3
		if progressiveJPEG(source) { // its coefficients wait for the last pass
			perPixel = 12
		}
	}
	return int64(in.Width) * int64(in.Height) * perPixel
}

// acquire waits until there is room for n bytes, and returns what gives them back.
func (f *Fitter) acquire(n int64) (release func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.free == nil {
		f.free = sync.NewCond(&f.mu)
	}
	for f.inUse > 0 && f.inUse+n > maxWork {
		f.free.Wait()
	}
	f.inUse += n
	return func() {
		f.mu.Lock()
		f.inUse -= n
		f.mu.Unlock()
		f.free.Broadcast()
	}
}

// load returns what the folder has, nil when it has nothing or something else: a file begins with the digest of the rest.
func (f *Fitter) load(key string) []byte {
	if f.Dir == "" {
		return nil
	}
	file, err := os.ReadFile(filepath.Join(f.Dir, key))
	if err != nil || len(file) < sha256.Size {
		return nil
	}
	if sum := sha256.Sum256(file[sha256.Size:]); !bytes.Equal(sum[:], file[:sha256.Size]) {
		return nil
	}
	return file[sha256.Size:]
}

// save writes a result into the folder. It is a convenience: where that fails, the picture is made again next time.
func (f *Fitter) save(key string, data []byte) {
	if f.Dir == "" || os.MkdirAll(f.Dir, 0o700) != nil {
		return
	}
	f.tidied.Do(f.tidy)
	tmp, err := os.CreateTemp(f.Dir, ".new-*")
	if err != nil {
		return
	}
	sum := sha256.Sum256(data)
	_, err = tmp.Write(append(sum[:], data...))
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(f.Dir, key))
	}
	if err != nil {
		_ = os.Remove(tmp.Name()) // nothing more can be done
	}
}

// tidy removes the oldest files of the folder until the rest is small enough.
func (f *Fitter) tidy() {
	entries, err := os.ReadDir(f.Dir)
	if err != nil {
		return
	}
	var files []fs.FileInfo
	total := int64(0)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			files = append(files, info)
			total += info.Size()
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, file := range files {
		if total <= maxDir {
			return
		}
		if os.Remove(filepath.Join(f.Dir, file.Name())) == nil {
			total -= file.Size()
		}
	}
}
