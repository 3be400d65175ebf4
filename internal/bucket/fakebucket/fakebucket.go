// Package fakebucket is an S3-compatible service with one bucket that keeps everything in memory.
//
// It speaks as much of the API as a program needs that puts objects, looks at them, lists them and takes them away
// (https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html, 2026-11-22). It does not verify signatures, but that there is one of the right
// key, for the right region, and that the bytes are those that were signed.
package fakebucket

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Config is how a service is set up.
type Config struct {
	Name   string // the bucket's
	KeyID  string // of the access key that is let in
	Region string
	Now    func() time.Time
	// Public lets everybody read.
	Public bool
	// Fail answers a request in the service's place, with the code of an error and its status, unless the code is empty. May be nil.
	Fail func(*http.Request) (code string, status int)
	// Cut ends the connection instead of answering a request. May be nil.
	Cut func(*http.Request) bool
}

// Object is what is in the bucket.
type Object struct {
	Data     []byte
	Type     string
	Modified time.Time
}

// Server is the service.
type Server struct {
	mu      sync.Mutex
	config  Config
	objects map[string]Object
	puts    map[string]int
	gets    map[string]int
}

// New returns a service whose bucket is empty.
func New(c Config) *Server {
	return &Server{config: c, objects: map[string]Object{}, puts: map[string]int{}, gets: map[string]int{}}
}

// Set changes how the service is set up while it runs.
func (s *Server) Set(change func(*Config)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.config)
}

// Place puts an object into the bucket by other means.
func (s *Server) Place(key string, o Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[key] = o
}

// Objects returns what is in the bucket, by name.
func (s *Server) Objects() map[string]Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.objects)
}

// Puts returns how many times each object was put there.
func (s *Server) Puts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.puts)
}

// Gets returns how many times each object was read.
func (s *Server) Gets() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.gets)
}

// maxObject bounds what is kept in memory.
const maxObject = 64 << 20

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxObject))
	if err != nil {
		fail(w, "EntityTooLarge", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.config.Fail != nil {
		if code, status := s.config.Fail(r); code != "" {
			fail(w, code, status)
			return
		}
	}
	if s.config.Cut != nil && s.config.Cut(r) {
		panic(http.ErrAbortHandler)
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	reading := r.Method == http.MethodGet && key != "" || r.Method == http.MethodHead
	if code, status := s.refuse(r, reading); code != "" {
		w.Header().Set("X-Amz-Bucket-Region", s.config.Region)
		fail(w, code, status)
		return
	}
	object, there := s.objects[key]
	switch {
	case bucket != s.config.Name:
		fail(w, "NoSuchBucket", http.StatusNotFound)
	case r.Method == http.MethodPut && key != "":
		sum := sha256.Sum256(body)
		if r.Header.Get("X-Amz-Content-Sha256") != hex.EncodeToString(sum[:]) {
			fail(w, "XAmzContentSHA256Mismatch", http.StatusBadRequest)
			return
		}
		s.objects[key] = Object{Data: body, Type: cmp.Or(r.Header.Get("Content-Type"), "binary/octet-stream"), Modified: s.config.Now()}
		s.puts[key]++
		w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	case r.Method == http.MethodDelete && key != "":
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodGet && key == "":
		s.list(w, r)
	case reading && !there:
		fail(w, "NoSuchKey", http.StatusNotFound)
	case reading:
		s.gets[key]++
		w.Header().Set("Content-Type", object.Type)
		w.Header().Set("Content-Length", strconv.Itoa(len(object.Data)))
		w.Header().Set("Last-Modified", object.Modified.UTC().Format(http.TimeFormat))
		w.Write(object.Data) //nolint:errcheck // the client has gone
	default:
		fail(w, "MethodNotAllowed", http.StatusMethodNotAllowed)
	}
}

// refuse returns why a request is not served: it has no signature, or one of somebody else.
func (s *Server) refuse(r *http.Request, reading bool) (code string, status int) {
	credential, signature := r.URL.Query().Get("X-Amz-Credential"), r.URL.Query().Get("X-Amz-Signature")
	if rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="); ok {
		credential, rest, _ = strings.Cut(rest, ",")
		_, signature, _ = strings.Cut(rest, "Signature=")
	}
	scope := strings.Split(credential, "/") // ID/20261122/eu-central-1/s3/aws4_request
	switch {
	case signature == "" && reading && s.config.Public:
		return "", 0
	case signature == "" || len(scope) != 5:
		return "AccessDenied", http.StatusForbidden
	case scope[0] != s.config.KeyID:
		return "InvalidAccessKeyId", http.StatusForbidden
	case scope[2] != s.config.Region:
		return "AuthorizationHeaderMalformed", http.StatusBadRequest
	}
	return "", 0
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	type contents struct {
		Key          string
		LastModified string
		Size         int
	}
	type prefixes struct{ Prefix string }
	var result struct {
		XMLName        xml.Name `xml:"ListBucketResult"`
		Name           string
		Prefix         string
		KeyCount       int
		MaxKeys        int
		IsTruncated    bool
		Contents       []contents
		CommonPrefixes []prefixes
	}
	query := r.URL.Query()
	result.Name, result.Prefix, result.MaxKeys = s.config.Name, query.Get("prefix"), 1000
	seen := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		rest, ok := strings.CutPrefix(key, result.Prefix)
		if !ok {
			continue
		}
		if folder, _, below := strings.Cut(rest, "/"); below && query.Get("delimiter") == "/" {
			if !seen[folder] {
				result.CommonPrefixes = append(result.CommonPrefixes, prefixes{result.Prefix + folder + "/"})
			}
			seen[folder] = true
			continue
		}
		o := s.objects[key]
		result.Contents = append(result.Contents, contents{key, o.Modified.UTC().Format("2006-01-02T15:04:05.000Z"), len(o.Data)})
	}
	result.KeyCount = len(result.Contents)
	answer(w, http.StatusOK, result)
}

func fail(w http.ResponseWriter, code string, status int) {
	answer(w, status, struct {
		XMLName       xml.Name `xml:"Error"`
		Code, Message string
	}{Code: code, Message: "The fake says " + code})
}

func answer(w http.ResponseWriter, status int, body any) {
	encoded, err := xml.Marshal(body)
	if err != nil {
		panic("fakebucket: an answer always marshals: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	w.Write(append([]byte(xml.Header), encoded...)) //nolint:errcheck // the client has gone
}
