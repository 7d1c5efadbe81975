package frames

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/data/sqlutil"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
	"github.com/plugboard/plugboard/frame/transform"
)

// TestTransforms gives random series to both libraries.
func TestTransforms(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for round := range 3000 {
		ours := randomSeries(rng, true)
		fill := transform.Fill{Mode: transform.FillMode(rng.IntN(4)), Value: float64(rng.IntN(100))}
		note := fmt.Sprintf("round %d, fill %+v, of\n%s", round, fill, frametest.Text(ours))

		wide, err := transform.LongToWide(ours, fill)
		theirWide, theirErr := data.LongToWide(twin(t, ours), officialFill(fill))
		if agree(t, note, err, theirErr) {
			sameFrame(t, note, wide, theirWide)
		}

		ours = randomSeries(rng, false)
		note = fmt.Sprintf("round %d, fill %+v, of\n%s", round, fill, frametest.Text(ours))
		long, err := transform.WideToLong(ours)
		theirLong, theirErr := data.WideToLong(twin(t, ours))
		if agree(t, note, err, theirErr) {
			sameFrame(t, note, long, theirLong)
		}
		if !t.Failed() {
			resampleBoth(t, rng, note, ours, fill)
		}
		if t.Failed() {
			return
		}
	}
}

// resampleBoth compares frames of nullable fields only, the official library
// panics where others lack a value, and with times that ascend.
func resampleBoth(t *testing.T, rng *rand.Rand, note string, ours *frame.Frame, fill transform.Fill) {
	t.Helper()
	times := ours.Fields[0]
	if times.Nulls() > 0 || !slices.IsSorted(frame.Slice[int64](times)) || slices.ContainsFunc(ours.Fields[1:], func(f *frame.Field) bool { return !f.Nullable() }) {
		return
	}
	from := minute(rng.IntN(20) - 5)
	to := from.Add(time.Duration(rng.IntN(20)) * time.Minute)
	interval := time.Duration(1+rng.IntN(300)) * time.Second
	even, err := transform.Resample(ours, fill, from, to, interval)
	//lint:ignore SA1019 the judge of ours, deprecated or not
	theirs, theirErr := sqlutil.ResampleWideFrame(twin(t, ours), officialFill(fill), backend.TimeRange{From: from, To: to}, interval)
	if agree(t, note, err, theirErr) {
		sameFrame(t, fmt.Sprintf("%s: from %v to %v by %v", note, from, to, interval), even, theirs)
	}
}

// TestDifferenceInputMeta: the official transforms write into the meta of
// their input.
func TestDifferenceInputMeta(t *testing.T) {
	ours := frame.New("", frame.NewField("t", nil, []time.Time{minute(0)}), frame.NewField("s", nil, []string{"a"}), frame.NewField("v", nil, []int8{1}))
	ours.Meta = &frame.Meta{}
	theirs := twin(t, ours)
	if _, err := data.LongToWide(theirs, nil); err != nil || theirs.Meta.Type != data.FrameTypeTimeSeriesWide {
		t.Errorf("the official input's type is %q, error %v", theirs.Meta.Type, err)
	}
	if _, err := transform.LongToWide(ours, transform.Fill{}); err != nil || ours.Meta.Type != "" {
		t.Errorf("our input's type is %q, error %v", ours.Meta.Type, err)
	}
}

// TestDifferenceMissingTime: a time that is missing from a field that is not
// nullable is the year 1 there, which wraps on the wire, and 1970 here.
func TestDifferenceMissingTime(t *testing.T) {
	ours := frame.New("",
		frame.NewField("t", nil, []time.Time{minute(0), minute(1)}),
		frame.NewField("s", nil, []string{"a", "b"}),
		frame.NewField("v", nil, []time.Time{minute(0), minute(1)}))
	theirs, err := data.LongToWide(twin(t, ours), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := theirs.Fields[2].At(0).(time.Time); !got.IsZero() {
		t.Errorf("the official SDK puts %v", got)
	}
	wide, err := transform.LongToWide(ours, transform.Fill{})
	if err != nil {
		t.Fatal(err)
	}
	if got := wide.Fields[2].At(0).(time.Time); got.Unix() != 0 {
		t.Errorf("we put %v", got)
	}
}

func minute(n int) time.Time { return time.Date(2024, 1, 1, 0, n, 0, 0, time.UTC) }

// randomSeries returns a few rows of ascending times, with all kinds of values
// and, if it is to be long, factors. It may be one that neither library takes.
func randomSeries(rng *rand.Rand, long bool) *frame.Frame {
	rows, now := rng.IntN(12), 0
	times := frame.NewFieldOf("time", nil, frame.Time, rng.IntN(3) == 0)
	for range rows {
		if now += rng.IntN(3); rng.IntN(60) == 0 {
			now -= 3
		}
		if times.Nullable() && rng.IntN(20) == 0 {
			times.AppendNull()
		} else {
			frame.Append(times, minute(now))
		}
	}
	f := frame.New("series", times)
	if rng.IntN(2) == 0 {
		f.Meta = &frame.Meta{Channel: "ds/a/b", TypeVersion: [2]uint{7, 8}}
	}
	if long {
		for i := range rng.IntN(4) {
			name := fmt.Sprintf("factor%d", rng.IntN(30))
			if i%2 == 0 {
				f.Fields = append(f.Fields, randomField(rng, frame.NewFieldOf(name, nil, frame.String, rng.IntN(2) == 0), rows, []string{"", "a", "b", "<b>"}))
			} else {
				f.Fields = append(f.Fields, randomField(rng, frame.NewFieldOf(name, nil, frame.Bool, rng.IntN(2) == 0), rows, []bool{false, true}))
			}
		}
	}
	for i := range rng.IntN(5) {
		values := randomValues(rng, rows, long)
		if long {
			values.Name += fmt.Sprint(i) // of one name, the order is chance there
		}
		f.Fields = append(f.Fields, values)
	}
	rng.Shuffle(len(f.Fields)-1, func(i, j int) { f.Fields[i+1], f.Fields[j+1] = f.Fields[j+1], f.Fields[i+1] })
	return f
}

func randomValues(rng *rand.Rand, rows int, long bool) *frame.Field {
	var labels frame.Labels
	if !long && rng.IntN(4) > 0 {
		labels = frame.Labels{}
		for range rng.IntN(3) {
			labels[[]string{"city", "kind", "<x>"}[rng.IntN(3)]] = []string{"", "a", "<b>"}[rng.IntN(3)]
		}
	}
	nullable := rng.IntN(6) > 0
	switch rng.IntN(8) {
	case 0, 1, 2:
		return randomField(rng, frame.NewFieldOf("high", labels, frame.Float64, nullable), rows, []float64{1, 2.5, -3})
	case 3, 4:
		return randomField(rng, frame.NewFieldOf("low", labels, frame.Int16, nullable), rows, []int16{1, -2})
	case 5, 6:
		return randomField(rng, frame.NewFieldOf("count", labels, frame.Uint64, nullable), rows, []uint64{1, 1 << 63})
	}
	return randomField(rng, frame.NewFieldOf("seen", labels, frame.Time, true), rows, []time.Time{minute(1), minute(2)})
}

func randomField[T frame.Element](rng *rand.Rand, f *frame.Field, rows int, values []T) *frame.Field {
	for range rows {
		if f.Nullable() && rng.IntN(5) == 0 {
			f.AppendNull()
		} else {
			frame.Append(f, values[rng.IntN(len(values))])
		}
	}
	return f
}

func officialFill(fill transform.Fill) *data.FillMissing {
	modes := map[transform.FillMode]data.FillMode{
		transform.FillPrevious: data.FillModePrevious, transform.FillNull: data.FillModeNull, transform.FillValue: data.FillModeValue,
	}
	if fill.Mode == transform.FillNone {
		return nil
	}
	return &data.FillMissing{Mode: modes[fill.Mode], Value: fill.Value}
}

func twin(t *testing.T, ours *frame.Frame) *data.Frame {
	t.Helper()
	theirs, err := Twin(ours)
	if err != nil {
		t.Fatal(err)
	}
	return theirs
}

// agree checks that both failed or neither, and tells whether neither did.
func agree(t *testing.T, note string, ours, theirs error) bool {
	t.Helper()
	if (ours == nil) != (theirs == nil) {
		t.Errorf("%s\nour error: %v\ntheir error: %v", strings.TrimSpace(note), ours, theirs)
	}
	return ours == nil && theirs == nil
}

func sameFrame(t *testing.T, note string, ours *frame.Frame, theirs *data.Frame) {
	t.Helper()
	if diff := officialDiff(twin(t, ours), theirs); diff != "" {
		t.Errorf("%s\n%s\nours:\n%s", strings.TrimSpace(note), diff, frametest.Text(ours))
	}
}
