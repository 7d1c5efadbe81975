package tape

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// quiet takes the failures of a test that is to fail.
type quiet struct {
	testing.TB
	said []any
}

func (q *quiet) Error(args ...any) { q.said = append(q.said, args...) }

// record runs f with a tape that records and another that plays, and returns
// what f said each time and the recording.
func record(t *testing.T, secrets []string, f func(t *testing.T, tape *Tape) string) (recorded, played, text string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sub", "tape.json")
	t.Run("record", func(t *testing.T) { recorded = f(t, Open(t, path, true, secrets...)) })
	t.Run("play", func(t *testing.T) { played = f(t, Open(t, path, false, secrets...)) })
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return recorded, played, string(b)
}

func api(t *testing.T, asked *int) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked++
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Set-Cookie", "session=open-sesame")
		if r.URL.Path == "/image" {
			_, _ = w.Write([]byte{0xff, 0xd8, 0})
			return
		}
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, `{"call":%d,"you":%q,"access_token":"a1b2","echo":%q}`, *asked, r.Header.Get("Authorization"), body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func ask(t *testing.T, client *http.Client, method, url, body string) string {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer open-sesame")
	response, err := client.Do(request)
	if err != nil {
		return "error"
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %q\n", response.StatusCode, answer)
}

func TestHTTP(t *testing.T) {
	asked := 0
	target := api(t, &asked)
	_, played, text := record(t, []string{"open-sesame"}, func(t *testing.T, tape *Tape) string {
		client := &http.Client{Transport: tape.RoundTripper(http.DefaultTransport)}
		said := ""
		for range 2 {
			said += ask(t, client, "POST", target+"/a?to=2&from=1&api_key=s3cret", `{"n":1,"password":"hunter2"}`)
		}
		return said + ask(t, client, "GET", target+"/image", "") + ask(t, http.DefaultClient, "GET", tape.Server(target)+"/b?x=y", "")
	})
	if asked != 4 {
		t.Errorf("the API was asked %d times, want 4: the second time is played", asked)
	}
	want := `418 "{\"access_token\":\"REDACTED\",\"call\":1,\"echo\":\"{\\\"n\\\":1,\\\"password\\\":\\\"hunter2\\\"}\",\"you\":\"Bearer REDACTED\"}"`
	if !strings.HasPrefix(played, want) || !strings.Contains(played, `\"call\":2`) || !strings.Contains(played, `200 "\xff\xd8\x00"`) || !strings.Contains(played, `\"call\":4`) {
		t.Errorf("played %s\nwant %s", played, want)
	}
	for _, secret := range []string{"open-sesame", "s3cret", "a1b2", "session="} {
		if strings.Contains(text, secret) {
			t.Errorf("the recording has %s:\n%s", secret, text)
		}
	}
	if !strings.Contains(text, `"from=1"`) || !strings.Contains(text, `"{\"n\":1,\"password\":\"REDACTED\"}"`) {
		t.Error(text)
	}
}

// TestUnknown: what was not recorded fails the test, with the nearest that was.
func TestUnknown(t *testing.T) {
	asked := 0
	target := api(t, &asked)
	path := filepath.Join(t.TempDir(), "tape.json")
	t.Run("record", func(t *testing.T) {
		tape := Open(t, path, true)
		client := &http.Client{Transport: tape.RoundTripper(http.DefaultTransport)}
		ask(t, client, "GET", target+"/readings?from=1&to=2", "")
		ask(t, client, "GET", target+"/stations", "")
	})
	q := &quiet{TB: t}
	client := &http.Client{Transport: Open(q, path, false).RoundTripper(nil)}
	if got := ask(t, client, "GET", target+"/readings?from=1&to=3", ""); got != "error" {
		t.Error(got)
	}
	want := fmt.Sprintf(`recording %s has no answer to this; the nearest differs so (- recorded, + asked):
  GET %s/readings
  from=1
- to=2
+ to=3
`, path, target)
	if len(q.said) != 1 || fmt.Sprint(q.said[0]) != want {
		t.Errorf("said %v\nwant %s", q.said, want)
	}
}

func TestRecordedFailure(t *testing.T) {
	refused := httptest.NewServer(nil)
	refused.Close()
	recorded, played, _ := record(t, nil, func(t *testing.T, tape *Tape) string {
		_, err := (&http.Client{Transport: tape.RoundTripper(http.DefaultTransport)}).Get(refused.URL)
		return err.Error()
	})
	if recorded != played || !strings.Contains(played, "connection refused") {
		t.Errorf("recorded %s, played %s", recorded, played)
	}
}

func TestSQL(t *testing.T) {
	source := &shop{}
	recorded, played, text := record(t, []string{"open-sesame"}, func(t *testing.T, tape *Tape) string {
		db := tape.DB(source.open(t))
		rows, err := db.QueryContext(t.Context(), "SELECT *\nFROM t WHERE a = ?", 5)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		said := ""
		for more := true; more; more = rows.NextResultSet() {
			types, _ := rows.ColumnTypes()
			for _, c := range types {
				said += fmt.Sprintf("%s %s %v\n", c.Name(), c.DatabaseTypeName(), c.ScanType())
			}
			for rows.Next() {
				row, targets := make([]any, len(types)), make([]any, len(types))
				for i := range row {
					targets[i] = &row[i]
				}
				if err := rows.Scan(targets...); err != nil {
					t.Fatal(err)
				}
				said += fmt.Sprintf("%#v\n", row)
			}
		}
		if rows.Err() != nil {
			t.Fatal(rows.Err())
		}
		_, err = db.QueryContext(t.Context(), "refused")
		said += fmt.Sprintln(err)
		done, err := db.ExecContext(t.Context(), "UPDATE")
		if err != nil {
			t.Fatal(err)
		}
		n, _ := done.RowsAffected()
		prepared, err := db.PrepareContext(context.WithoutCancel(t.Context()), "UPDATE")
		if err != nil {
			t.Fatal(err)
		}
		defer prepared.Close()
		if _, err := prepared.Exec(); err != nil {
			t.Fatal(err)
		}
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return said + fmt.Sprintln(n, tx.Rollback())
	})
	if diff := cmp.Diff(strings.NewReplacer("open-sesame", redacted, "hunter2", redacted).Replace(recorded), played); diff != "" {
		t.Errorf("played (+) is not what was recorded (-):\n%s", diff)
	}
	if source.asked != 4 || strings.Contains(text, "open-sesame") || strings.Contains(text, "hunter2") {
		t.Errorf("asked %d times; recording\n%s", source.asked, text)
	}
}

func TestUnknownSQL(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tape.json")
	if err := os.WriteFile(path, []byte(`[{"ask": ["SELECT a", "FROM t", "1: int64 5"], "sql": {}}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	q := &quiet{TB: t}
	_, err := Open(q, path, false).DB(nil).Query("SELECT a\nFROM t", 6)
	if err == nil || len(q.said) != 1 || !strings.Contains(fmt.Sprint(q.said...), "- 1: int64 5\n+ 1: int 6\n") {
		t.Errorf("%v, said %v", err, q.said)
	}
}
