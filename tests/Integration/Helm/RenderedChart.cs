using k8s;
using k8s.Models;

namespace Serve.Helm.Tests;

/// <summary>The typed objects of a rendered chart. Unknown keys and wrong types are errors.</summary>
internal sealed class RenderedChart
{
    private static readonly Dictionary<string, Type> MonitorType = new() { ["monitoring.coreos.com/v1/ServiceMonitor"] = typeof(ServiceMonitor) };

    private readonly List<object> _objects;

    private RenderedChart(string text) => _objects = [.. KubernetesYaml.LoadAllFromString(text, MonitorType, strict: true)];

    public static TheoryData<string> ValuesFiles => [.. Directory.EnumerateFiles(Path.Combine(HelmCommand.Chart, "ci"), "*-values.yaml").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    public IReadOnlyList<object> Objects => _objects;

    public V1StatefulSet Nodes => Single<V1StatefulSet>();

    public V1PodSpec Pod => Nodes.Spec.Template.Spec;

    public V1Container Container => Pod.Containers.Single(container => container.Name == "serve");

    public static string ValuesFile(string name) => Path.Combine(HelmCommand.Chart, "ci", name);

    public static async Task<RenderedChart> RenderAsync(params IEnumerable<string> arguments) => new(await HelmCommand.TemplateAsync(arguments));

    public T Single<T>() => _objects.OfType<T>().Single();

    public IReadOnlyList<T> All<T>() => [.. _objects.OfType<T>()];
}

/// <summary>What the chart uses of a ServiceMonitor of the Prometheus operator.</summary>
internal sealed class ServiceMonitor : IKubernetesObject<V1ObjectMeta>
{
    public string ApiVersion { get; set; } = "";

    public string Kind { get; set; } = "";

    public V1ObjectMeta Metadata { get; set; } = new();

    public ServiceMonitorSpec Spec { get; set; } = new();
}

internal sealed class ServiceMonitorSpec
{
    public V1LabelSelector Selector { get; set; } = new();

    public IList<ServiceMonitorEndpoint> Endpoints { get; set; } = [];
}

internal sealed class ServiceMonitorEndpoint
{
    public string Port { get; set; } = "";

    public string Path { get; set; } = "";

    public string Interval { get; set; } = "";

    public ServiceMonitorAuthorization Authorization { get; set; } = new();
}

internal sealed class ServiceMonitorAuthorization
{
    public string Type { get; set; } = "";

    public V1SecretKeySelector Credentials { get; set; } = new();
}
