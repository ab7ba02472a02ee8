using System.Text;
using k8s;
using k8s.Models;
using Serve.Testing;

namespace Serve.Helm.Tests;

/// <summary>What helm makes of the chart: findings, golden files, refused values, and the token.</summary>
public sealed class ChartRenderingTests
{
    // Set to renew the golden files after a wanted change, then review their diff.
    private const string UpdateVariable = "SERVE_UPDATE_GOLDEN";

    public static TheoryData<string> ValuesFiles => RenderedChart.ValuesFiles;

    [HelmTheory]
    [MemberData(nameof(ValuesFiles))]
    public async Task Lint_Strict_NoFinding(string values)
    {
        var (code, output, errors) = await HelmCommand.RunAsync("lint", "--strict", HelmCommand.Chart, "--values", RenderedChart.ValuesFile(values));
        Assert.True(code == 0, output + errors);
        Assert.DoesNotContain("[WARNING]", output, StringComparison.Ordinal);
    }

    [HelmTheory]
    [MemberData(nameof(ValuesFiles))]
    public async Task Template_ValuesFile_EqualsGoldenFile(string values)
    {
        var rendered = await HelmCommand.TemplateAsync("--values", RenderedChart.ValuesFile(values));
        var golden = Path.Combine(ServeExecutable.Root, "tests/Integration/Helm/Golden", values.Replace("-values", "", StringComparison.Ordinal));
        if (Environment.GetEnvironmentVariable(UpdateVariable) is not null)
            await File.WriteAllTextAsync(golden, rendered);
        Assert.Equal(await File.ReadAllTextAsync(golden), rendered);
    }

    [HelmTheory]
    [InlineData("node.numCpu=2", "additional properties 'numCpu' not allowed")]
    [InlineData("replicas=3", "additional properties 'replicas' not allowed")]
    [InlineData("gpu.count=many", "got string, want integer")]
    [InlineData("drain.timeoutSeconds=0", "minimum")]
    [InlineData("isolation=pod", "value must be one of 'none', 'application', 'replica'")]
    [InlineData("image.digest=latest", "does not match pattern")]
    [InlineData("service.port=70000", "maximum")]
    [InlineData("persistence.size=10 GB", "does not match pattern")]
    [InlineData("node.resources.license=two", "got string, want number")]
    [InlineData("ingress.hosts[0].name=a", "additional properties 'name' not allowed")]
    public async Task Template_WrongValue_Refused(string value, string reason)
    {
        var (code, _, errors) = await HelmCommand.RunAsync("template", "serve", HelmCommand.Chart, "--set", value);
        Assert.NotEqual(0, code);
        Assert.Contains(reason, errors, StringComparison.Ordinal);
    }

    [HelmFact]
    public async Task Template_ConfigAndExistingConfigMap_Refused()
    {
        var (code, _, errors) = await HelmCommand.RunAsync("template", "serve", HelmCommand.Chart, "--set", "config=a", "--set", "existingConfigMap=b");
        Assert.NotEqual(0, code);
        Assert.Contains("config and existingConfigMap exclude each other", errors, StringComparison.Ordinal);
    }

    [HelmFact]
    public async Task Template_NoSecretGiven_TokenIsGeneratedAndKept()
    {
        var first = (await RenderedChart.RenderAsync()).Single<V1Secret>();
        var second = (await RenderedChart.RenderAsync()).Single<V1Secret>();

        Assert.Equal("keep", first.Metadata.Annotations["helm.sh/resource-policy"]);
        Assert.Matches("^[a-zA-Z0-9]{64}$", Encoding.ASCII.GetString(first.Data["token"]));
        Assert.NotEqual(first.Data["token"], second.Data["token"]);
    }

    [HelmFact]
    public async Task Template_ChangedConfig_PodTemplateIsUnchanged()
    {
        using var folder = new TemporaryTestFolder();
        var one = await RenderAsync("applications: []\n");
        var two = await RenderAsync("applications:\n  - name: counter\n    import_path: /packages/counter.zip\n");

        Assert.NotEqual(one.Single<V1ConfigMap>().Data["serve.yaml"], two.Single<V1ConfigMap>().Data["serve.yaml"]);
        Assert.Equal(KubernetesYaml.Serialize(one.Nodes), KubernetesYaml.Serialize(two.Nodes));

        Task<RenderedChart> RenderAsync(string config) =>
            RenderedChart.RenderAsync("--set", "token.existingSecret=t", "--set-file", "config=" + folder.Write("serve.yaml", config));
    }

    [HelmFact]
    public async Task Template_ConfigFile_IsKeptAsWritten()
    {
        using var folder = new TemporaryTestFolder();
        const string Config = "# a comment\napplications:\n  - name: \"a: b\"\n    user_config: {text: '{{ not a template }}'}\n";
        var chart = await RenderedChart.RenderAsync("--set-file", "config=" + folder.Write("serve.yaml", Config));
        Assert.Equal(Config.Trim(), chart.Single<V1ConfigMap>().Data["serve.yaml"].Trim());
    }
}
