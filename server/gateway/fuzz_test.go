package gateway

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/frame/frametest"
	"github.com/plugboard/plugboard/plugin"
)

// FuzzAnswer: whatever bytes a plugin answers with, in every format there is an
// answer or an error that tells of a query, and nothing breaks off or panics.
func FuzzAnswer(f *testing.F) {
	for seed, rows := range []int{0, 1, 5} {
		sample := frametest.Random(rand.New(rand.NewPCG(uint64(seed), 40)), rows)
		arrow, err := sample.MarshalArrow()
		if err != nil {
			f.Fatal(err)
		}
		text, err := framejson.Append(nil, sample, framejson.IncludeAll)
		if err != nil {
			f.Fatal(err)
		}
		for i := range formats {
			f.Add(arrow, false, uint8(i))
			f.Add(text, true, uint8(i))
		}
	}
	f.Add([]byte(`{"schema":{"fields":[{"name":"v","typeInfo":{"frame":"int8"}}]},"data":{"values":[[1]]}}`), true, uint8(2))
	a := newAPI(f)
	f.Fuzz(func(t *testing.T, raw []byte, inJSON bool, name uint8) {
		encoding := plugin.FormatArrow
		if inJSON {
			encoding = plugin.FormatJSON
		}
		a.host.query = func(*plugin.QueryRequest) (*plugin.QueryResponse, error) {
			return &plugin.QueryResponse{Responses: map[string]plugin.Response{"A": {Status: 200, Format: encoding, Frames: [][]byte{raw, raw}}}}, nil
		}
		r := httptest.NewRequest("POST", "/api/ds/query", strings.NewReader(askOne))
		r.Header.Set("Authorization", "Bearer good")
		r.Header.Set("Accept", formats[int(name)%len(formats)].mediaType)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code != 200 && (w.Code != 400 || !strings.Contains(w.Body.String(), "frame")) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") && !json.Valid(w.Body.Bytes()) {
			t.Errorf("not JSON: %s", w.Body)
		}
	})
}

// FuzzLink: whatever a link says, it is refused as the client's mistake, or the
// plugin is asked one query that is a JSON object with the data source in it.
func FuzzLink(f *testing.F) {
	f.Add(`{"refId":"C","x":1}`, "now-1h", "now", "csv")
	f.Add("SELECT 1", "1000", "2000", "")
	f.Add(`{"datasource":{"uid":"two"},"refId":7}`, "now/d", "", "parquet")
	f.Add("\xff", "", "", "json")
	a := newAPI(f)
	a.host.text = "rawSql"
	f.Fuzz(func(t *testing.T, query, from, to, format string) {
		var asked *plugin.QueryRequest
		a.host.query = func(req *plugin.QueryRequest) (*plugin.QueryResponse, error) {
			asked = req
			return answering(t)(req)
		}
		values := url.Values{"query": {query}, "from": {from}, "to": {to}, "format": {format}}
		r := httptest.NewRequest("GET", "/api/datasources/uid/one/query?"+values.Encode(), nil)
		r.Header.Set("Authorization", "Bearer good")
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		switch {
		case w.Code != http.StatusOK && w.Code != http.StatusBadRequest:
			t.Errorf("%d %s", w.Code, w.Body)
		case asked == nil && w.Code == http.StatusOK:
			t.Error("answered without asking")
		case asked != nil:
			if q := asked.Queries[0]; len(asked.Queries) != 1 || q.RefID == "" || !strings.Contains(string(q.JSON), `"datasource":{"uid":"one"}`) || checkObject(q.JSON) != nil {
				t.Errorf("asked %+v", asked.Queries)
			}
		}
	})
}
