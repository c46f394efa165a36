package main

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// The same program also stands in for the Kubernetes provider (install.py links it under that name). Objects of any
// kind and Helm releases live in the account file beside the AWS resources; no API server, no chart is looked at.
// Rules are those of pulumi-kubernetes 4.34 (provider/pkg/provider: diff.go, helm_release.go, provider.go).

const (
	helmRelease   = "kubernetes:helm.sh/v3:Release"
	kubeNamespace = "kubernetes:core/v1:Namespace"
)

func isKubernetes(typ string) bool { return strings.HasPrefix(typ, "kubernetes:") }

// kubeForceNew: what replaces an object, beside its name and namespace (diff.go, forceNew).
var kubeForceNew = map[string][]string{
	helmRelease:                                                  words("name namespace"),
	"kubernetes:apps/v1:DaemonSet":                               words("spec.selector"),
	"kubernetes:apps/v1:Deployment":                              words("spec.selector"),
	"kubernetes:apps/v1:StatefulSet":                             words("spec.podManagementPolicy spec.revisionHistoryLimit spec.selector spec.serviceName spec.volumeClaimTemplates"),
	"kubernetes:batch/v1:Job":                                    words("spec.completions spec.parallelism spec.selector spec.template"),
	"kubernetes:core/v1:ConfigMap":                               words("binaryData data"),
	"kubernetes:core/v1:PersistentVolume":                        words("spec.csi spec.nfs spec.hostPath spec.local spec.awsElasticBlockStore"),
	"kubernetes:core/v1:PersistentVolumeClaim":                   words("spec.accessModes spec.selector spec.storageClassName spec.volumeName"),
	"kubernetes:core/v1:Secret":                                  words("type stringData data"),
	"kubernetes:core/v1:Service":                                 words("spec.clusterIP"),
	"kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": words("roleRef"),
	"kubernetes:rbac.authorization.k8s.io/v1:RoleBinding":        words("roleRef"),
	"kubernetes:storage.k8s.io/v1:StorageClass":                  words("parameters provisioner"),
}

// clusterScoped kinds have no namespace.
var clusterScoped = map[string]bool{
	"Namespace": true, "Node": true, "PersistentVolume": true, "StorageClass": true, "ClusterRole": true, "ClusterRoleBinding": true,
	"CustomResourceDefinition": true, "PriorityClass": true, "CSIDriver": true, "RuntimeClass": true, "IngressClass": true,
	"ValidatingAdmissionPolicy": true, "ValidatingAdmissionPolicyBinding": true, "ValidatingWebhookConfiguration": true,
	"MutatingWebhookConfiguration": true, "VolumeSnapshotClass": true,
}

func kubeReplaceKeys(typ string, mutable bool) map[string]bool {
	keys := map[string]bool{}
	if mutable && (typ == "kubernetes:core/v1:ConfigMap" || typ == "kubernetes:core/v1:Secret") {
		return map[string]bool{"metadata.name": true, "metadata.namespace": true, "type": true}
	}
	for _, k := range kubeForceNew[typ] {
		keys[k] = true
	}
	if typ != helmRelease {
		keys["metadata.name"], keys["metadata.namespace"] = true, true
	}
	return keys
}

// kubeKept is what the API server keeps of an object: no null, no empty list and no empty map (its types say `omitempty`).
// An empty object stays, as `podSelector: {}` and `emptyDir: {}`, and so does each item of a list.
// Comparing with what was kept, the real provider finds an empty map or list new at each preview.
func kubeKept(typ string, props resource.PropertyMap) resource.PropertyMap {
	if typ == helmRelease {
		return props // values of a chart are no object of the API
	}
	out := resource.PropertyMap{}
	for k, v := range props {
		if kept := kubeKeptValue(v); !kubeDropped(string(k), kept) {
			out[k] = kept
		}
	}
	return out
}

func kubeKeptValue(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsSecret():
		return resource.MakeSecret(kubeKeptValue(v.SecretValue().Element))
	case v.IsObject():
		out := resource.PropertyMap{}
		for k, inner := range v.ObjectValue() {
			if kept := kubeKeptValue(inner); !kubeDropped(string(k), kept) {
				out[k] = kept
			}
		}
		return resource.NewProperty(out)
	case v.IsArray():
		list := []resource.PropertyValue{}
		for _, inner := range v.ArrayValue() {
			list = append(list, kubeKeptValue(inner))
		}
		return resource.NewProperty(list)
	}
	return v
}

func kubeDropped(name string, v resource.PropertyValue) bool {
	if v.IsSecret() {
		v = v.SecretValue().Element
	}
	if v.IsNull() || (v.IsArray() && len(v.ArrayValue()) == 0) {
		return true
	}
	return v.IsObject() && len(v.ObjectValue()) == 0 && contains(typeTable()["kubernetes:maps"].Inputs, name)
}

func kindOf(typ string) string { return typ[strings.LastIndex(typ, ":")+1:] }

// kubeName gives an unnamed object its name, as the provider does in Check: the resource's name and a random suffix.
func kubeName(req *pulumirpc.CheckRequest, typ string, news, olds resource.PropertyMap) {
	given := func(props resource.PropertyMap) resource.PropertyValue {
		if typ == helmRelease {
			return props["name"]
		}
		if props["metadata"].IsObject() {
			return props["metadata"].ObjectValue()["name"]
		}
		return resource.PropertyValue{}
	}
	if v := given(news); !v.IsNull() {
		return
	}
	name := given(olds)
	if name.IsNull() || name.IsComputed() {
		name = resource.NewProperty(nameOf(req.GetUrn()) + "-" + random(req))
	}
	if typ == helmRelease {
		news["name"] = name
		return
	}
	metadata := resource.PropertyMap{}
	if news["metadata"].IsObject() {
		metadata = news["metadata"].ObjectValue()
	}
	metadata["name"] = name
	annotations := resource.PropertyMap{}
	if metadata["annotations"].IsObject() {
		annotations = metadata["annotations"].ObjectValue()
	}
	annotations["pulumi.com/autonamed"] = resource.NewProperty("true")
	metadata["annotations"] = resource.NewProperty(annotations)
	news["metadata"] = resource.NewProperty(metadata)
}

// kubeDeleteFirst: two objects of one name cannot be there at once; a release is never deleted first (helm_release.go).
func kubeDeleteFirst(typ string, olds, news resource.PropertyMap) bool {
	if typ == helmRelease {
		return false
	}
	before, after := plainMap(olds), plainMap(news)
	same := func(path string) bool { return fmt.Sprint(dig(before, path)) == fmt.Sprint(dig(after, path)) }
	autonamed := dig(after, "metadata.annotations") != nil && strings.Contains(fmt.Sprint(dig(after, "metadata.annotations")), "pulumi.com/autonamed:true")
	return !autonamed && same("metadata.name") && same("metadata.namespace")
}

func (m *maker) kubePlace() (namespace, name string) {
	if m.typ == helmRelease {
		namespace, name = m.str("namespace"), m.str("name")
	} else {
		namespace, name = m.str("metadata.namespace"), m.str("metadata.name")
	}
	if namespace == "" && !clusterScoped[kindOf(m.typ)] {
		namespace = "default"
	}
	return namespace, name
}

func (m *maker) kubeID() string {
	namespace, name := m.kubePlace()
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}

func plural(typ string) string {
	kind := strings.ToLower(kindOf(typ))
	if strings.HasSuffix(kind, "s") {
		return kind + "es"
	}
	if strings.HasSuffix(kind, "y") {
		return strings.TrimSuffix(kind, "y") + "ies"
	}
	return kind + "s"
}

// kubeRefuse is what the API server would not take.
func kubeRefuse(m *maker) error {
	namespace, name := m.kubePlace()
	if m.acct.get(m.typ, m.kubeID()) != nil {
		if m.typ == helmRelease {
			return fmt.Errorf("cannot re-use a name that is still in use")
		}
		return fmt.Errorf("%s %q already exists", plural(m.typ), name)
	}
	if namespace == "" || strings.HasPrefix(namespace, "kube-") || namespace == "default" {
		return nil
	}
	if create, _ := m.in["createNamespace"].(bool); create {
		return nil
	}
	if m.acct.get(kubeNamespace, namespace) == nil && !lax() {
		return fmt.Errorf("namespaces %q not found", namespace)
	}
	return nil
}

// helmRefuse: Helm upgrades nothing that it does not have, and nothing that an earlier call of it has not finished.
func helmRefuse(record *Record, name string) error {
	if record == nil {
		return fmt.Errorf("%q has no deployed releases", name)
	}
	if status, _ := dig(record.Outputs, "status.status").(string); strings.HasPrefix(status, "pending-") {
		return fmt.Errorf("another operation (install/upgrade/rollback) is in progress")
	}
	return nil
}

// kubeOutputs: what the API server, or Helm, adds.
func (m *maker) kubeOutputs(old map[string]any) map[string]any {
	if m.typ == helmRelease {
		namespace, name := m.kubePlace()
		revision, _ := dig(old, "status.revision").(float64)
		version, chart := m.str("version"), lastPart(m.str("chart"))
		return map[string]any{"namespace": namespace, "status": map[string]any{"name": name, "namespace": namespace, "revision": revision + 1,
			"status": "deployed", "chart": chart, "version": version, "appVersion": version}}
	}
	out := map[string]any{"metadata": map[string]any{"uid": uuid(m.hex(32)), "resourceVersion": fmt.Sprint(m.acct.Serial),
		"creationTimestamp": "2026-01-01T00:00:00Z"}}
	switch kindOf(m.typ) {
	case "Namespace":
		out["status"] = map[string]any{"phase": "Active"}
	case "PersistentVolume", "PersistentVolumeClaim":
		out["status"] = map[string]any{"phase": "Bound"}
	case "Service":
		out["status"] = map[string]any{"loadBalancer": map[string]any{}}
	case "Deployment", "StatefulSet", "DaemonSet", "Job", "Pod":
		out["status"] = map[string]any{}
	}
	return out
}

// kubeForget deletes what goes with a namespace.
func kubeForget(acct *Account, namespace string) {
	for k, r := range acct.Resources {
		if isKubernetes(r.Type) && strings.HasPrefix(r.ID, namespace+"/") {
			delete(acct.Resources, k)
		}
	}
}

// kubeError looks like the provider's.
func kubeError(doing, typ, urn string, err error) string {
	if typ == helmRelease {
		return fmt.Sprintf("Helm release %s: %s failed: %s", nameOf(urn), doing, err)
	}
	return fmt.Sprintf("resource %s: %s was not successful on the Kubernetes API server: %s", nameOf(urn), doing, err)
}

// kubeMutable: the provider's switches that make ConfigMaps and Secrets change in place.
func kubeMutable(args map[string]any) bool {
	for _, name := range words("enableConfigMapMutable enableSecretMutable") {
		if v := fmt.Sprint(args[name]); v == "true" {
			return true
		}
	}
	return false
}
