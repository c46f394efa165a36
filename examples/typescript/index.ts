import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as jupyterhub from "jupyterhub-aws";

const config = new pulumi.Config();

const network = new jupyterhub.Network("lab", { zones: ["us-east-1a", "us-east-1b"], nat: "single" });
const cluster = new jupyterhub.Cluster("lab-cluster", {
    network: network.handle,
    version: "1.35",
    publicAccessCidrs: ["203.0.113.0/24"], // from where you work
    protected: false,
});
const pools = new jupyterhub.NodePools("lab-pools", {
    cluster: cluster.handle,
    pools: { memory: { capacity: "spot_first", instanceTypes: ["r5n.2xlarge", "r6i.2xlarge"], size: { max: 10 } } },
});
const inside = { cluster: cluster.handle, pools: pools.handle };
new jupyterhub.NodeAgents("lab-agents", inside);
new jupyterhub.ClusterAutoscaler("lab-autoscaler", inside);
const homes = new jupyterhub.EfsHomes("lab-homes", { cluster: cluster.handle, hubs: ["main"] });
const hub = new jupyterhub.JupyterHub("main", {
    ...inside,
    efsHomes: homes.handle,
    signIn: { kind: "github", clientId: "Ov23liDocumentation0", allowedOrganizations: ["example-org"] },
    entry: { kind: "port_forward" },
    profiles: {
        small: { pool: "memory", cpu: 2, memory: "16G" },
        large: { pool: "memory", cpu: 4, memory: "32G" },
    },
    secrets: { "client-secret": config.requireSecret("client-secret") },
});
new jupyterhub.Monitoring("lab-monitoring", { ...inside, homes: homes.handle, hubs: [hub.monitored] });

// A chart of your own in the same cluster.
const provider = new kubernetes.Provider("lab", { kubeconfig: cluster.kubeconfig });
new kubernetes.helm.v3.Release(
    "dask-gateway",
    {
        chart: "dask-gateway",
        version: "2024.1.0",
        repositoryOpts: { repo: "https://helm.dask.org" },
        namespace: "dask-gateway",
        createNamespace: true,
    },
    { provider, dependsOn: [pools] },
);

export const url = hub.url;
export const kubeconfig = cluster.kubeconfig;
