package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	podsecurity "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// manifests are the documents of packaging/kubernetes.yaml, in which no field
// is unknown to Kubernetes.
func manifests(t *testing.T) (namespace corev1.Namespace, service corev1.Service, set appsv1.StatefulSet) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "packaging", "kubernetes.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	documents := bytes.Split(text, []byte("\n---\n"))
	into := []any{&namespace, &service, &set}
	if len(documents) != len(into) {
		t.Fatalf("%d documents, want %d", len(documents), len(into))
	}
	for i, document := range documents {
		if err := yaml.UnmarshalStrict(document, into[i]); err != nil {
			t.Fatal(err)
		}
	}
	return namespace, service, set
}

// The judge is the one that runs in a cluster's API server.
func TestPodIsRestricted(t *testing.T) {
	namespace, _, set := manifests(t)
	if got := namespace.Labels[podsecurity.EnforceLevelLabel]; got != string(podsecurity.LevelRestricted) {
		t.Errorf("the namespace enforces %q", got)
	}
	judge, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	pod := &set.Spec.Template
	for _, verdict := range judge.EvaluatePod(podsecurity.LevelVersion{Level: podsecurity.LevelRestricted, Version: podsecurity.LatestVersion()}, &pod.ObjectMeta, &pod.Spec) {
		if !verdict.Allowed {
			t.Errorf("%s: %s", verdict.ForbiddenReason, verdict.ForbiddenDetail)
		}
	}
	for _, container := range pod.Spec.Containers {
		if ro := container.SecurityContext.ReadOnlyRootFilesystem; ro == nil || !*ro {
			t.Errorf("the root of %s can be written to", container.Name)
		}
	}
}

// Names in a manifest refer to others; nobody else checks that they meet.
func TestManifestHangsTogether(t *testing.T) {
	namespace, service, set := manifests(t)
	pod := set.Spec.Template
	if service.Namespace != namespace.Name || set.Namespace != namespace.Name || set.Spec.ServiceName != service.Name {
		t.Error("the three do not belong together")
	}
	if !maps.Equal(service.Spec.Selector, pod.Labels) || !maps.Equal(set.Spec.Selector.MatchLabels, pod.Labels) {
		t.Errorf("selectors %v and %v miss the pod, %v", service.Spec.Selector, set.Spec.Selector.MatchLabels, pod.Labels)
	}
	container := pod.Spec.Containers[0]
	port := container.Ports[0]
	for _, named := range []string{
		service.Spec.Ports[0].TargetPort.StrVal,
		container.StartupProbe.HTTPGet.Port.StrVal,
		container.ReadinessProbe.HTTPGet.Port.StrVal,
		container.LivenessProbe.HTTPGet.Port.StrVal,
	} {
		if named != port.Name {
			t.Errorf("no port is named %q", named)
		}
	}
	var volumes []string
	for _, v := range pod.Spec.Volumes {
		volumes = append(volumes, v.Name)
	}
	for _, claim := range set.Spec.VolumeClaimTemplates {
		volumes = append(volumes, claim.Name)
	}
	for _, mount := range container.VolumeMounts {
		if !slices.Contains(volumes, mount.Name) {
			t.Errorf("%s mounts no volume, %q", mount.MountPath, mount.Name)
		}
	}
}
