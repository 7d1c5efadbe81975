package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// serve runs p on a port of this machine for an example, and returns a client
// to it.
func serve(p plugin.Plugin) (*plugin.Client, func()) {
	ctx, stop := context.WithCancel(context.Background())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	served := make(chan error)
	go func() {
		served <- plugin.ServeListener(ctx, p, listener, slog.New(slog.NewTextHandler(io.Discard, nil)))
	}()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		panic(err)
	}
	return plugin.NewClient(conn), func() {
		conn.Close()
		stop()
		<-served
	}
}

type weatherSettings struct {
	URL    string `json:"url"`      // the data source's own URL
	Unit   string `json:"unit"`     // from jsonData
	APIKey string `secret:"apiKey"` // from its secrets
}

type weatherModel struct {
	City string `json:"city" plugboard:"text"`
}

type weather struct{ settings weatherSettings }

func openWeather(_ context.Context, s plugin.Settings[weatherSettings]) (*weather, error) {
	if s.Values.APIKey == "" {
		return nil, plugin.BadRequest("the API key is missing")
	}
	return &weather{settings: s.Values}, nil
}

func (w *weather) Query(_ context.Context, q plugin.Query[weatherModel]) (frame.Frames, error) {
	if q.Model.City == "Atlantis" {
		return nil, plugin.Downstream(errors.New("no weather there"))
	}
	return frame.Frames{frame.New("",
		frame.NewField("city", nil, []string{q.Model.City}),
		frame.NewField(w.settings.Unit, nil, []float64{14.5}))}, nil
}

func (w *weather) CheckHealth(context.Context) (plugin.Health, error) {
	return plugin.Health{Message: "asking " + w.settings.URL}, nil
}

// A data source: main is plugin.Main(plugin.DataSource(openWeather)).
func ExampleDataSource() {
	client, stop := serve(plugin.DataSource(openWeather))
	defer stop()

	source := plugin.Context{DataSource: &plugin.DataSourceSettings{
		UID: "w", URL: "https://weather.example", JSON: []byte(`{"unit":"°C"}`), Secrets: plugin.Secrets{"apiKey": "sesame"},
	}}
	health, err := client.CheckHealth(context.Background(), &plugin.HealthRequest{Context: source})
	fmt.Println(health.Status, health.Message, err)

	response, err := client.Query(context.Background(), &plugin.QueryRequest{Context: source, Queries: []plugin.DataQuery{
		{RefID: "A", JSON: []byte(`{"city":"Lisbon"}`)},
		{RefID: "B", JSON: []byte(`{"city":"Atlantis"}`)},
		{RefID: "C", JSON: []byte(`{"city":["Lisbon"]}`)},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	frames, err := response.Responses["A"].Decode()
	fmt.Println("A:", frames[0].Fields[0].At(0), frames[0].Fields[1].At(0), frames[0].Fields[1].Name, err)
	for _, refID := range []string{"B", "C"} {
		r := response.Responses[refID]
		fmt.Println(refID+":", r.Status, r.ErrorSource, r.Error)
	}
	// Output:
	// OK asking https://weather.example <nil>
	// A: Lisbon 14.5 °C <nil>
	// B: 502 downstream no weather there
	// C: 400 downstream query: city: want a string, have array
}

// notes is an app: it has resources and no queries.
type notes struct{ http.Handler }

func openNotes(context.Context, plugin.Settings[struct{}]) (notes, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /notes/{id}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "note %s, read by %s", r.PathValue("id"), plugin.ContextFrom(r.Context()).User.Login)
	})
	return notes{mux}, nil
}

func ExampleApp() {
	client, stop := serve(plugin.App(openNotes))
	defer stop()

	err := client.CallResource(context.Background(), &plugin.ResourceRequest{
		Context: plugin.Context{App: &plugin.AppSettings{}, User: &plugin.User{Login: "ada"}},
		Method:  http.MethodGet,
		Path:    "notes/7",
	}, func(r plugin.ResourceResponse) error {
		fmt.Println(r.Status, string(r.Body))
		return nil
	})
	fmt.Println(err)
	// Output:
	// 200 note 7, read by ada
	// <nil>
}

// clock streams, and has nothing to query.
type clock struct{}

func openClock(context.Context, plugin.Settings[struct{}]) (clock, error) { return clock{}, nil }

func (clock) RunStream(_ context.Context, c plugin.Channel, to *plugin.Sender) error {
	for i := range 2 {
		err := to.SendFrame(frame.New(c.Path, frame.NewField("beat", nil, []uint8{uint8(i)})))
		if err != nil {
			return err
		}
	}
	return nil
}

// The schema travels once.
func ExampleSender_SendFrame() {
	client, stop := serve(plugin.App(openClock))
	defer stop()

	request := &plugin.StreamRequest{Context: plugin.Context{App: &plugin.AppSettings{}}, Path: "beats"}
	err := client.RunStream(context.Background(), request, func(packet []byte) error {
		fmt.Println(string(packet))
		return nil
	})
	fmt.Println(err)
	// Output:
	// {"schema":{"name":"beats","fields":[{"name":"beat","type":"number","typeInfo":{"frame":"uint8"}}]},"data":{"values":[[0]]}}
	// {"data":{"values":[[1]]}}
	// <nil>
}

// numbers answers in pieces.
type numbers struct{}

func openNumbers(context.Context, plugin.Settings[struct{}]) (numbers, error) { return numbers{}, nil }

func (n numbers) Query(ctx context.Context, q plugin.Query[struct{}]) (frame.Frames, error) {
	var frames frame.Frames
	return frames, n.QueryChunks(ctx, q, func(f *frame.Frame) error { frames = append(frames, f); return nil })
}

func (numbers) QueryChunks(_ context.Context, _ plugin.Query[struct{}], send func(*frame.Frame) error) error {
	for i := range 3 {
		if err := send(frame.New("numbers", frame.NewField("n", nil, []int64{int64(i)}))); err != nil {
			return err
		}
	}
	return nil
}

func ExampleChunkQuerier() {
	client, stop := serve(plugin.DataSource(openNumbers))
	defer stop()

	err := client.QueryChunks(context.Background(), &plugin.QueryRequest{
		Context: plugin.Context{DataSource: &plugin.DataSourceSettings{}},
		Queries: []plugin.DataQuery{{RefID: "A"}},
		Format:  plugin.FormatJSON,
	}, func(c plugin.Chunk) error {
		fmt.Println(c.RefID, c.FrameID, string(c.Frame))
		return nil
	})
	fmt.Println(err)
	// Output:
	// A numbers#1 {"schema":{"name":"numbers","refId":"A","fields":[{"name":"n","type":"number","typeInfo":{"frame":"int64"}}]},"data":{"values":[[0]]}}
	// A numbers#1 {"data":{"values":[[1]]}}
	// A numbers#1 {"data":{"values":[[2]]}}
	// <nil>
}

func ExampleWriteError() {
	table := func(w http.ResponseWriter, r *http.Request) {
		if name := r.URL.Query().Get("name"); name != "rain" {
			plugin.WriteError(w, plugin.Errorf(http.StatusNotFound, "no table %q", name))
			return
		}
		fmt.Fprint(w, "…")
	}

	w := httptest.NewRecorder()
	table(w, httptest.NewRequest("GET", "/table?name=snow", nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// 404 {"errorSource":"downstream","message":"no table \"snow\""}
}
