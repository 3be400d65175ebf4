package bluesky

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"
)

// tidAlphabet is the base 32 of AT Protocol, which sorts as its numbers do.
const tidAlphabet = "234567abcdefghijklmnopqrstuvwxyz"

// spread is the stretch of time, in microseconds, over which record keys of one moment are spread: a
// run begins many deliveries in the same millisecond. It is about a minute.
const spread = 1 << 26

// RecordKey returns the key of a part's record: a TID (https://atproto.com/specs/tid, 2026-11-21) that
// follows from the attempt alone, so that a repeated delivery meets its own record. The keys of a
// thread's parts increase with the part. Of keys made for one moment, two are the same with a chance
// of 1 in 2³⁶.
func RecordKey(at time.Time, key string, part int) string {
	sum := sha256.Sum256([]byte("postrider record key\x00" + key))
	bits := binary.BigEndian.Uint64(sum[:])
	// Only milliseconds count: they are what every format that stores the attempt keeps.
	micros := max(0, created(at, part).UnixMilli())*1000 - int64(bits>>10%spread)
	n := uint64(max(0, micros))<<10&(1<<63-1) | bits&(1<<10-1)
	var tid [13]byte
	for i := len(tid) - 1; i >= 0; i-- {
		tid[i] = tidAlphabet[n&31]
		n >>= 5
	}
	return string(tid[:])
}

// keyTime returns the time in a record key; ok is false when the key is no TID.
func keyTime(rkey string) (t time.Time, ok bool) {
	if len(rkey) != 13 || strings.IndexByte(tidAlphabet[:16], rkey[0]) < 0 {
		return time.Time{}, false
	}
	n := uint64(0)
	for i := range len(rkey) {
		digit := strings.IndexByte(tidAlphabet, rkey[i])
		if digit < 0 {
			return time.Time{}, false
		}
		n = n<<5 | uint64(digit)
	}
	return time.UnixMicro(int64(n >> 10)), true
}

// created is when a part claims to have been written: the attempt's time, with a millisecond between
// parts so that clients that sort by it keep the thread in order.
func created(at time.Time, part int) time.Time {
	return at.UTC().Truncate(time.Millisecond).Add(time.Duration(part) * time.Millisecond)
}
