package tail_test

import (
	"slices"
	"testing"

	"github.com/plugboard/plugboard/host/internal/tail"
)

// numbers keeps the numbers of its items.
func numbers(most, bytes int, size func(int64) int, count int) *tail.Tail[int64] {
	t := tail.New(most, bytes, size)
	for range count {
		t.Add(func(number int64) int64 { return number })
	}
	return t
}

func TestTail(t *testing.T) {
	for _, test := range []struct {
		name               string
		most, bytes, count int
		size               func(int64) int
		after              int64
		want               []int64
	}{
		{"all", 3, 0, 2, nil, 0, []int64{1, 2}},
		{"the last", 3, 0, 5, nil, 0, []int64{3, 4, 5}},
		{"the last bytes", 9, 11, 5, func(n int64) int { return int(n) }, 0, []int64{4, 5}},
		{"too large to be kept", 9, 4, 5, func(n int64) int { return int(n) }, 0, nil},
		{"after one that is kept", 3, 0, 5, nil, 4, []int64{5}},
		{"after one that is forgotten", 3, 0, 5, nil, 1, []int64{3, 4, 5}},
		{"after the last", 3, 0, 5, nil, 5, nil},
		{"after one to come", 3, 0, 5, nil, 6, []int64{3, 4, 5}},
		{"after none", 3, 0, 5, nil, -1, []int64{3, 4, 5}},
		{"nothing", 3, 0, 0, nil, 0, nil},
	} {
		if got, _ := numbers(test.most, test.bytes, test.size, test.count).Since(test.after); !slices.Equal(got, test.want) {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

func TestMore(t *testing.T) {
	kept := numbers(3, 0, nil, 1)
	_, more := kept.Since(1)
	select {
	case <-more:
		t.Fatal("there is no more")
	default:
	}
	kept.Add(func(number int64) int64 { return number })
	<-more
	if items, _ := kept.Since(1); !slices.Equal(items, []int64{2}) {
		t.Errorf("%d", items)
	}
}
