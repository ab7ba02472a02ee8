using k8s.Models;

namespace Serve.Helm.Tests;

/// <summary>The objects of the rendered chart fit together: selectors and labels, ports, volumes, names, security.</summary>
public sealed class ChartObjectTests
{
    public static TheoryData<string> ValuesFiles => RenderedChart.ValuesFiles;

    [HelmTheory]
    [MemberData(nameof(ValuesFiles))]
    public async Task Services_SelectThePodAndItsPorts(string values)
    {
        var chart = await RenderAsync(values);
        var labels = chart.Nodes.Spec.Template.Metadata.Labels;

        AssertSubset(chart.Nodes.Spec.Selector.MatchLabels, labels);
        Assert.Equal(3, chart.All<V1Service>().Count);
        Assert.All(chart.All<V1Service>(), service =>
        {
            AssertSubset(service.Spec.Selector, labels);
            Assert.All(service.Spec.Ports, port => Assert.Contains(chart.Container.Ports, open => open.Name == port.TargetPort.Value));
        });
        Assert.Contains(chart.All<V1Service>(), service => service.Metadata.Name == chart.Nodes.Spec.ServiceName && service.Spec.ClusterIP == "None");
        foreach (var budget in chart.All<V1PodDisruptionBudget>())
            AssertSubset(budget.Spec.Selector.MatchLabels, labels);
        foreach (var policy in chart.All<V1NetworkPolicy>())
            AssertSubset(policy.Spec.PodSelector.MatchLabels, labels);
        // The pod of helm test is no endpoint of a Service.
        Assert.All(chart.All<V1Pod>(), test => Assert.NotEqual(labels["app.kubernetes.io/component"], test.Metadata.Labels["app.kubernetes.io/component"]));
    }

    [HelmTheory]
    [MemberData(nameof(ValuesFiles))]
    public async Task Volumes_EachMountHasOneAndEachIsMounted(string values)
    {
        var chart = await RenderAsync(values);
        List<string> volumes = [.. chart.Pod.Volumes.Select(volume => volume.Name), .. (chart.Nodes.Spec.VolumeClaimTemplates ?? []).Select(claim => claim.Metadata.Name)];
        List<string> mounts = [.. chart.Pod.Containers.Concat(chart.Pod.InitContainers ?? []).SelectMany(container => container.VolumeMounts ?? []).Select(mount => mount.Name)];

        Assert.Equal(volumes.Distinct().Order(), volumes.Order());
        Assert.Equal(volumes.Order(), mounts.Distinct().Order());
        Assert.Equal(["/dev/shm", "/etc/serve/config", "/etc/serve/token", "/tmp", "/var/lib/serve"],
            chart.Container.VolumeMounts.Select(mount => mount.MountPath).Where(path => path != "/models").Order(StringComparer.Ordinal));
        // The root file system is read-only, and only these paths are written to.
        Assert.All(chart.Container.VolumeMounts.Where(mount => mount.ReadOnlyProperty is not true), mount => Assert.Contains(mount.MountPath, (string[])["/dev/shm", "/tmp", "/var/lib/serve"]));
    }

    [HelmTheory]
    [MemberData(nameof(ValuesFiles))]
    public async Task References_ToOtherObjects_Exist(string values)
    {
        var chart = await RenderAsync(values);
        var rendered = chart.Objects.OfType<k8s.IKubernetesObject<V1ObjectMeta>>().Select(item => item.Metadata.Name).ToHashSet();
        var given = await File.ReadAllTextAsync(RenderedChart.ValuesFile(values));

        string[] references =
        [
            chart.Pod.Volumes.Single(volume => volume.Name == "config").ConfigMap.Name,
            chart.Pod.Volumes.Single(volume => volume.Name == "token").Secret.SecretName,
            chart.Pod.ServiceAccountName,
        ];
        Assert.All(references, name => Assert.True(name == "default" || rendered.Contains(name) || given.Contains(name, StringComparison.Ordinal), name));
        foreach (var ingress in chart.All<V1Ingress>())
        {
            Assert.All(ingress.Spec.Rules.SelectMany(rule => rule.Http.Paths), path =>
            {
                var service = chart.All<V1Service>().Single(service => service.Metadata.Name == path.Backend.Service.Name);
                Assert.Contains(service.Spec.Ports, port => port.Name == path.Backend.Service.Port.Name);
            });
        }

        foreach (var monitor in chart.All<ServiceMonitor>())
        {
            var endpoint = Assert.Single(monitor.Spec.Endpoints);
            var scraped = Assert.Single(chart.All<V1Service>(), service => monitor.Spec.Selector.MatchLabels.All(label => service.Metadata.Labels.TryGetValue(label.Key, out var value) && value == label.Value));
            Assert.Contains(scraped.Spec.Ports, port => port.Name == endpoint.Port);
            Assert.Equal(references[1], endpoint.Authorization.Credentials.Name);
        }
    }

    [HelmTheory]
    [MemberData(nameof(ValuesFiles))]
    public async Task Pod_MeetsTheRestrictedSecurityStandard(string values)
    {
        var chart = await RenderAsync(values);
        var (pod, security) = (chart.Pod, chart.Container.SecurityContext);
        Assert.True(pod.SecurityContext.RunAsNonRoot);
        Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
        Assert.False(pod.AutomountServiceAccountToken);
        Assert.True(security.ReadOnlyRootFilesystem);
        Assert.False(security.AllowPrivilegeEscalation);
        Assert.Equal(["ALL"], security.Capabilities.Drop);
        Assert.All(chart.All<V1ServiceAccount>(), account => Assert.False(account.AutomountServiceAccountToken));
    }

    [HelmTheory]
    [InlineData(5, 60)]
    [InlineData(0, 1)]
    [InlineData(30, 600)]
    public async Task GracePeriod_CoversSettleAndDrain(int settle, int timeout)
    {
        var chart = await RenderedChart.RenderAsync("--set", $"drain.settleSeconds={settle}", "--set", $"drain.timeoutSeconds={timeout}");
        Assert.Equal(settle + timeout + 15, chart.Pod.TerminationGracePeriodSeconds);
    }

    [HelmFact]
    public async Task Gpus_AreRequestedAndReserved()
    {
        var chart = await RenderAsync("gpu-values.yaml");
        Assert.Equal("2", chart.Container.Resources.Limits["nvidia.com/gpu"].ToString());
        Assert.Equal("160Gi", chart.Container.Resources.Limits["memory"].ToString());
        Assert.Equal("nvidia", chart.Pod.RuntimeClassName);
        Assert.Contains("--num-gpus=2", chart.Container.Args);
        Assert.Equal("registry.example/serve-gpu@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", chart.Container.Image);
    }

    private static Task<RenderedChart> RenderAsync(string values) => RenderedChart.RenderAsync("--values", RenderedChart.ValuesFile(values));

    private static void AssertSubset(IDictionary<string, string> selector, IDictionary<string, string> labels) =>
        Assert.All(selector, label => Assert.Equal(label.Value, labels.TryGetValue(label.Key, out var value) ? value : null));
}
