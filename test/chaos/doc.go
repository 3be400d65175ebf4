// Package chaos proves that a post goes out exactly once, with the real binary, real processes and real git.
//
// It makes a bare remote, clones of it and networks that remember every post they ever accepted. Publishers run
// as processes of their own and are killed, stopped, started together, given wrong clocks, and cut off from
// the remote and the networks in the middle of their work. Then the faults are lifted and `publish` runs until
// nothing is left to do, and the networks are asked what they have: every part once, and on record.
//
// See README.md for how to run it and how to repeat a schedule that failed.
package chaos
