// Command protogen writes package wire from the .proto sources: messages
// from wire.proto, gRPC stubs from the service files. It parses with
// protocompile and runs the two official generators, so no protoc need be
// installed.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// The sources, by their path below the proto folder.
const (
	messages = "plugboard/wire.proto"
	grafana  = "pluginv2/services.proto"
	ours     = "plugboard/plugin.proto"
	process  = "goplugin/process.proto"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: protogen PROTO_DIR OUT_DIR")
	}
	if err := generate(os.Args[1], os.Args[2]); err != nil {
		log.Fatal("protogen: ", err)
	}
}

func generate(protoDir, outDir string) error {
	files, err := parse(protoDir, messages, grafana, ours, process)
	if err != nil {
		return err
	}
	if err := run("google.golang.org/protobuf/cmd/protoc-gen-go", files, outDir, messages); err != nil {
		return err
	}
	return run("google.golang.org/grpc/cmd/protoc-gen-go-grpc", files, outDir, grafana, ours, process)
}

// parse returns the descriptors of the named files, imports before importers.
func parse(dir string, names ...string) ([]*descriptorpb.FileDescriptorProto, error) {
	compiler := protocompile.Compiler{
		Resolver:       &protocompile.SourceResolver{ImportPaths: []string{dir}},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	linked, err := compiler.Compile(context.Background(), names...)
	if err != nil {
		return nil, err
	}
	var files []*descriptorpb.FileDescriptorProto
	for _, name := range names {
		files = append(files, protodesc.ToFileDescriptorProto(linked.FindFileByPath(name)))
	}
	return files, nil
}

// run feeds the descriptors to one generator, which writes Go for the files
// in toGenerate.
func run(generator string, files []*descriptorpb.FileDescriptorProto, outDir string, toGenerate ...string) error {
	request, err := proto.Marshal(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: toGenerate,
		ProtoFile:      files,
		Parameter:      proto.String("module=github.com/plugboard/plugboard/wire"),
	})
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "run", generator)
	cmd.Stdin = bytes.NewReader(request)
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", generator, err)
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(output, &response); err != nil {
		return fmt.Errorf("%s: %w", generator, err)
	}
	if response.Error != nil {
		return fmt.Errorf("%s: %s", generator, response.GetError())
	}
	for _, file := range response.File {
		if err := os.WriteFile(filepath.Join(outDir, file.GetName()), []byte(file.GetContent()), 0o644); err != nil {
			return err
		}
	}
	return nil
}
