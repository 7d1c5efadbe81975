package plugin

import (
	"errors"
	"os"

	"google.golang.org/grpc"

	"github.com/plugboard/plugboard/wire"
)

// printed is what the author's code prints: stdout has the handshake and
// stderr the log, so the host gets the rest by a call. A host that never makes
// it holds up the code that prints more than a pipe can take.
type printed struct {
	stdout, stderr *os.File // the process's own
	pipes          []*os.File
	pieces         chan *wire.StdioData
	ended          chan struct{}

	wire.UnimplementedGRPCStdioServer
}

// takePrinted puts pipes in the place of os.Stdout and os.Stderr.
func takePrinted() (*printed, error) {
	p := &printed{stdout: os.Stdout, stderr: os.Stderr, pieces: make(chan *wire.StdioData), ended: make(chan struct{})}
	outReader, outWriter, err1 := os.Pipe()
	errReader, errWriter, err2 := os.Pipe()
	p.pipes = []*os.File{outWriter, errWriter, outReader, errReader}
	if err := errors.Join(err1, err2); err != nil {
		p.close()
		return nil, err
	}
	os.Stdout, os.Stderr = outWriter, errWriter
	go p.read(outReader, wire.StdioData_STDOUT)
	go p.read(errReader, wire.StdioData_STDERR)
	return p, nil
}

// giveBack ends what takePrinted began. It does not wait for the end of
// reading: a child process that was given a pipe may hold it open.
func (p *printed) giveBack() {
	os.Stdout, os.Stderr = p.stdout, p.stderr
	close(p.ended)
	p.close()
}

func (p *printed) close() {
	for _, pipe := range p.pipes {
		_ = pipe.Close() // that of a pipe that could not be made does nothing
	}
}

// pieceSize is the most that one message carries.
const pieceSize = 4 << 10

func (p *printed) read(from *os.File, channel wire.StdioData_Channel) {
	for {
		piece := make([]byte, pieceSize)
		n, err := from.Read(piece)
		if n > 0 {
			select {
			case p.pieces <- &wire.StdioData{Channel: channel, Data: piece[:n]}:
			case <-p.ended:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// StreamStdio sends what is printed until the host has had enough.
func (p *printed) StreamStdio(_ *wire.Empty, stream grpc.ServerStreamingServer[wire.StdioData]) error {
	for {
		select {
		case piece := <-p.pieces:
			if err := stream.Send(piece); err != nil {
				return err
			}
		case <-stream.Context().Done():
			return nil
		}
	}
}
