package slab

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// TestLists makes lists of all lengths: none may share memory with another, or grow into it.
func TestLists(t *testing.T) {
	for _, together := range []bool{false, true} {
		s := Of[int]{Together: together}
		var lists [][]int
		for n := range 1500 {
			list := s.Make(n)
			if len(list) != n || cap(list) != n || n == 0 && list != nil || slices.ContainsFunc(list, func(i int) bool { return i != 0 }) {
				t.Fatalf("%d: a list of %d, room for %d: %v", n, len(list), cap(list), list)
			}
			for i := range list {
				list[i] = n
			}
			lists = append(lists, list, s.Copy(list), []int{*s.New(n)})
			if n > 0 {
				_ = append(list, -1)
			}
		}
		for i, list := range lists {
			if i%3 == 2 && len(list) != 1 || i%3 != 2 && len(list) != i/3 || slices.ContainsFunc(list, func(k int) bool { return k != i/3 }) {
				t.Fatalf("together %v: list %d is %v", together, i, list)
			}
		}
	}
}

func TestSideBySide(t *testing.T) {
	s := Of[[4]int64]{Together: true}
	a, b := s.New([4]int64{}), s.New([4]int64{})
	if d := uintptr(unsafe.Pointer(b)) - uintptr(unsafe.Pointer(a)); d != unsafe.Sizeof(*a) { //nolint:gosec // where they are is what is tested
		t.Errorf("two are %d bytes apart", d)
	}
	x := Texts{Together: true}
	one, two := x.Copy([]byte("one")), x.Copy([]byte("two"))
	if d := uintptr(unsafe.Pointer(unsafe.StringData(two))) - uintptr(unsafe.Pointer(unsafe.StringData(one))); d != 3 { //nolint:gosec // as above
		t.Errorf("two texts of three letters are %d bytes apart", d)
	}
}

func TestTexts(t *testing.T) {
	for _, together := range []bool{false, true} {
		s := Texts{Together: together}
		var got, want []string
		b := make([]byte, 0, 8<<10)
		for n := range 3000 {
			b = fmt.Appendf(b[:0], "%d%s", n, strings.Repeat("é", n))
			got, want = append(got, s.Copy(b)), append(want, string(b))
		}
		if !slices.Equal(got, want) {
			t.Errorf("together %v: texts have changed", together)
		}
	}
}
