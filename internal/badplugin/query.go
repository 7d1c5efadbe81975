package badplugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/plugboard/plugboard/wire"
)

// Order is the query model: what to do instead of answering, or what to say.
type Order struct {
	// Do is one of the orders below; empty means to answer Say.
	Do string `json:"do"`
	// Say is the single value of the answer.
	Say string `json:"say"`
	// Size is how many bytes the answer to DoBig has.
	Size int `json:"size"`
	// Gate is the file that DoWait waits for.
	Gate string `json:"gate"`
}

const (
	DoCrash    = "crash"    // end with code 7
	DoPanic    = "panic"    // panic, which ends the process too
	DoKill     = "kill"     // kill the own process
	DoHang     = "hang"     // answer when the caller gives up
	DoDeafen   = "deafen"   // stop listening; a Zombie lives on
	DoWait     = "wait"     // answer when a file exists
	DoFail     = "fail"     // fail the whole call
	DoBig      = "big"      // a large answer
	DoEnv      = "env"      // the environment
	DoContext  = "context"  // the context of the call, as JSON
	DoPrint    = "print"    // print Say to stdout and stderr
	DoDrip     = "drip"     // chunks of an answer without an end, of a Chunked plugin
	DoPID      = "pid"      // the process id
	DoChildren = "children" // the process ids of the children that Orphan has left
)

// JSON is the order as a query model.
func (o Order) JSON() []byte {
	model, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return model
}

type data struct {
	wire.UnimplementedDataServer
	chunked bool
	server  *grpc.Server
}

func (d *data) QueryData(ctx context.Context, req *wire.QueryDataRequest) (*wire.QueryDataResponse, error) {
	setAsked()
	response := &wire.QueryDataResponse{Responses: map[string]*wire.DataResponse{}}
	for _, query := range req.Queries {
		answer, err := d.obey(ctx, req.PluginContext, query.Json)
		if err != nil {
			return nil, err
		}
		response.Responses[query.RefId] = &wire.DataResponse{
			Frames: [][]byte{frame(query.RefId, answer)},
			Format: wire.DataFrameFormat_JSON,
		}
	}
	return response, nil
}

func (d *data) QueryChunkedData(req *wire.QueryChunkedDataRequest, stream grpc.ServerStreamingServer[wire.QueryChunkedDataResponse]) error {
	if !d.chunked {
		panic("a chunked query to a plugin that does not know them")
	}
	for _, query := range req.Queries {
		for i := 0; i < 3 || drips(query.Json); i++ {
			if i >= 3 {
				time.Sleep(time.Millisecond)
			}
			err := stream.Send(&wire.QueryChunkedDataResponse{
				RefId: query.RefId, FrameId: "0", Status: 200,
				Frame: frame(query.RefId, fmt.Sprint("chunk ", i)), Format: wire.DataFrameFormat_JSON,
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func drips(model []byte) bool {
	var order Order
	return json.Unmarshal(model, &order) == nil && order.Do == DoDrip
}

func (d *data) obey(ctx context.Context, c *wire.PluginContext, model []byte) (string, error) {
	var order Order
	if err := json.Unmarshal(model, &order); err != nil {
		return "", err
	}
	if do, ok := misdeeds[order.Do]; ok {
		return outcome(do(order)), nil
	}
	switch order.Do {
	case DoCrash:
		os.Exit(7)
	case DoPanic:
		panic("ordered to panic")
	case DoKill:
		self, _ := os.FindProcess(os.Getpid())
		_ = self.Kill()
		forever()
	case DoHang:
		<-ctx.Done()
		return "", ctx.Err()
	case DoDeafen:
		go d.server.Stop()
		<-ctx.Done()
		return "", ctx.Err()
	case DoWait:
		waitFor(order.Gate)
	case DoFail:
		return "", errors.New("ordered to fail")
	case DoBig:
		return strings.Repeat("b", order.Size), nil
	case DoEnv:
		return strings.Join(os.Environ(), "\n"), nil
	case DoContext:
		text, err := json.Marshal(c)
		return string(text), err
	case DoPrint:
		fmt.Println(order.Say)
		fmt.Fprintln(os.Stderr, order.Say)
	case DoPID:
		return fmt.Sprint(os.Getpid()), nil
	case DoChildren:
		return fmt.Sprint(children[0], " ", children[1]), nil
	}
	return order.Say, nil
}

// frame is a frame of one text field and one row, in JSON.
func frame(refID, value string) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return fmt.Appendf(nil, `{"schema":{"refId":%q,"fields":[{"name":"answer","type":"string","typeInfo":{"frame":"string"}}]},"data":{"values":[[%s]]}}`, refID, text)
}

type diagnostics struct {
	wire.UnimplementedDiagnosticsServer
}

func (diagnostics) CheckHealth(context.Context, *wire.CheckHealthRequest) (*wire.CheckHealthResponse, error) {
	return &wire.CheckHealthResponse{Status: wire.CheckHealthResponse_OK, Message: "as bad as ever"}, nil
}

type resource struct {
	wire.UnimplementedResourceServer
}

// CallResource answers with the request's path in two pieces.
func (resource) CallResource(req *wire.CallResourceRequest, stream grpc.ServerStreamingServer[wire.CallResourceResponse]) error {
	header := map[string]*wire.StringList{"Content-Type": {Values: []string{"text/plain"}}}
	if err := stream.Send(&wire.CallResourceResponse{Code: 201, Headers: header, Body: []byte(req.Method + " ")}); err != nil {
		return err
	}
	return stream.Send(&wire.CallResourceResponse{Body: []byte(req.Path)})
}

type description struct{ wire.UnimplementedPluginServer }

func (description) Describe(context.Context, *wire.DescribeRequest) (*wire.DescribeResponse, error) {
	return &wire.DescribeResponse{Chunked: true, QueryText: "say"}, nil
}
