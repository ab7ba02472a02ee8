using System.Net;
using System.Text.RegularExpressions;
using k8s.Models;
using Serve.Testing;

namespace Serve.Helm.Tests;

/// <summary>The steps of a kubelet with the rendered pod, on this machine: the container's own arguments, its probes, its preStop command, SIGTERM within the grace period.</summary>
public sealed partial class KubeletTests
{
    private const string Values = "default-values.yaml";

    [HelmFact]
    public async Task Pod_UnderLoad_ConfigChangesAndTerminationFailNoRequest()
    {
        using var scratch = new ScratchDirectory();
        var chart = await RenderedChart.RenderAsync("--values", RenderedChart.ValuesFile(Values), "--set", "drain.settleSeconds=2");
        var config = new MountedConfigMap(scratch.In("config"));
        config.Replace(Application("counter"));
        await using var kubelet = await Kubelet.StartAsync(scratch, chart, config.Path);
        await kubelet.WaitForProbeAsync(chart.Container.StartupProbe, HttpStatusCode.OK);
        await kubelet.WaitForProbeAsync(chart.Container.ReadinessProbe, HttpStatusCode.OK);
        await kubelet.WaitForProbeAsync(chart.Container.LivenessProbe, HttpStatusCode.OK);

        await using var load = new RequestLoadGenerator(kubelet.Gateway, clients: 4, "/counter");
        await load.WaitForAnswersAsync(100);

        // A changed ConfigMap: applied by the running process.
        config.Replace(Application("counter") + Application("second")["applications:".Length..]);
        await Eventually.TrueAsync(async () => (await kubelet.Gateway.GetAsync("/second")).StatusCode == HttpStatusCode.OK, kubelet.ToString);
        Assert.Equal("1", await kubelet.MetricAsync("serve_config_last_apply_successful"));

        // A wrong one: reported, and the previous one stays in effect.
        config.Replace("applications:\n  - name: counter\n    import_pth: nowhere.zip\n");
        await Eventually.TrueAsync(async () => (await kubelet.ServeAsync("status")).Output.Contains("import_pth", StringComparison.Ordinal), kubelet.ToString);
        Assert.Equal("0", await kubelet.MetricAsync("serve_config_last_apply_successful"));
        Assert.Equal(HttpStatusCode.OK, (await kubelet.Gateway.GetAsync("/second")).StatusCode);
        await load.WaitForAnswersAsync(100);

        // The end of the pod: clients are served until the load balancer has seen the readiness probe fail.
        var preStop = kubelet.RunAsync(chart.Container.Lifecycle.PreStop.Exec.Command);
        await kubelet.WaitForProbeAsync(chart.Container.ReadinessProbe, HttpStatusCode.ServiceUnavailable);
        await kubelet.WaitForProbeAsync(chart.Container.LivenessProbe, HttpStatusCode.OK);
        await load.WaitForAnswersAsync(10);
        Assert.Equal(0, (await preStop).Code);
        await load.StopAsync();
        Assert.Empty(load.Failures);
        var workers = LinuxProcessTable.ChildrenOf(kubelet.Process.Id);
        kubelet.Process.Signal(ServeCliProcess.Terminate);
        Assert.Equal(0, await kubelet.Process.WaitForExitAsync(TimeSpan.FromSeconds((double)chart.Pod.TerminationGracePeriodSeconds!)));
        await LinuxProcessTable.WaitForExitAsync(workers, Eventually.Limit);
        Assert.Empty(Directory.EnumerateFileSystemEntries(scratch.Temporary));
    }

    [HelmFact]
    public async Task Pod_Killed_LeavesNoProcessAndIsRestored()
    {
        using var scratch = new ScratchDirectory();
        var chart = await RenderedChart.RenderAsync("--values", RenderedChart.ValuesFile(Values));
        var config = new MountedConfigMap(scratch.In("config"));
        config.Replace($"applications:\n  - name: digits\n    import_path: {Path.Combine(ServeExecutable.Root, "deployments", "models", "digits.onnx")}\n");
        await using (var killed = await Kubelet.StartAsync(scratch, chart, config.Path))
        {
            await killed.WaitForProbeAsync(chart.Container.ReadinessProbe, HttpStatusCode.OK);
            var processes = LinuxProcessTable.ChildrenOf(killed.Process.Id);
            Assert.NotEmpty(processes);
            // The grace period is over.
            killed.Process.Signal(ServeCliProcess.Kill);
            await LinuxProcessTable.WaitForExitAsync(processes, Eventually.Limit);
        }

        // The same volume, without the configuration: the stored applications serve.
        await using var restarted = await Kubelet.StartAsync(scratch, chart, new MountedConfigMap(scratch.In("empty")).Path);
        await restarted.WaitForProbeAsync(chart.Container.ReadinessProbe, HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.OK, (await restarted.Gateway.GetAsync("/v2/models/digits/ready")).StatusCode);
    }

    [HelmFact]
    public async Task Pod_NoConfig_ReadyWithoutApplications()
    {
        using var scratch = new ScratchDirectory();
        var chart = await RenderedChart.RenderAsync("--values", RenderedChart.ValuesFile(Values));
        await using var kubelet = await Kubelet.StartAsync(scratch, chart, new MountedConfigMap(scratch.In("config")).Path);
        await kubelet.WaitForProbeAsync(chart.Container.ReadinessProbe, HttpStatusCode.OK);
        Assert.Contains("No applications are deployed", (await kubelet.ServeAsync("status")).Output, StringComparison.Ordinal);
    }

    [HelmFact]
    public async Task Pod_ModelCopiedLater_AppliedThen()
    {
        using var scratch = new ScratchDirectory();
        var chart = await RenderedChart.RenderAsync("--values", RenderedChart.ValuesFile(Values));
        var (config, model) = (new MountedConfigMap(scratch.In("config")), scratch.In("late.onnx"));
        config.Replace($"applications:\n  - name: late\n    import_path: {model}\n");
        await using var kubelet = await Kubelet.StartAsync(scratch, chart, config.Path);
        await Eventually.TrueAsync(async () => (await kubelet.ServeAsync("status")).Output.Contains("late.onnx", StringComparison.Ordinal), kubelet.ToString);

        File.Copy(Path.Combine(ServeExecutable.Root, "deployments", "models", "digits.onnx"), model);

        await Eventually.TrueAsync(async () => (await kubelet.Gateway.GetAsync("/v2/models/late/ready")).StatusCode == HttpStatusCode.OK, kubelet.ToString);
    }

    [HelmFact]
    public async Task Pod_WithoutSdk_SourceFileIsRefusedWithAdvice()
    {
        using var scratch = new ScratchDirectory();
        // The image has the runtime only.
        var dotnet = new DirectoryInfo(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        var runtime = Directory.CreateDirectory(scratch.In("dotnet")).FullName;
        File.Copy(Path.Combine(dotnet.FullName, "dotnet"), Path.Combine(runtime, "dotnet"));
        foreach (var folder in (string[])["host", "shared"])
            Directory.CreateSymbolicLink(Path.Combine(runtime, folder), Path.Combine(dotnet.FullName, folder));
        var chart = await RenderedChart.RenderAsync("--values", RenderedChart.ValuesFile(Values));
        var config = new MountedConfigMap(scratch.In("config"));
        config.Replace(Application("counter"));
        scratch.Launcher = ["env", $"DOTNET_HOST_PATH={Path.Combine(runtime, "dotnet")}"];
        await using var kubelet = await Kubelet.StartAsync(scratch, chart, config.Path);
        await Eventually.TrueAsync(async () => (await kubelet.ServeAsync("status")).Output.Contains("but no SDK", StringComparison.Ordinal), kubelet.ToString);
    }

    [Fact]
    public async Task FirstProcessOfAContainer_OrphansAreReaped()
    {
        using var scratch = new ScratchDirectory();
        // A PID namespace, as in a container. Needs root.
        scratch.Launcher = ["unshare", "--pid", "--fork", "--mount-proc"];
        await using var outer = ServeCliProcess.Start(scratch, ["start", "--state-dir", scratch.In("state"), "--http-port", "0", "--admin-port", "0"]);
        await outer.WaitForLineAsync("The node is up.");
        var node = LinuxProcessTable.ChildrenOf(outer.Id).Single();
        using (var orphan = System.Diagnostics.Process.Start("nsenter", ["--target", $"{node}", "--pid", "sh", "-c", "(setsid sleep 0.1 &)"]))
            await orphan.WaitForExitAsync();
        await Eventually.TrueAsync(() => LinuxProcessTable.ChildrenOf(node).Count > 0, outer.ToString);

        await Eventually.TrueAsync(() => LinuxProcessTable.ChildrenOf(node).Count == 0, outer.ToString);

        ServeCliProcess.SignalTo(node, ServeCliProcess.Terminate);
        Assert.Equal(0, await outer.WaitForExitAsync());
    }

    [Fact]
    public async Task Start_ConfigDirectoryMissing_RefusedWithItsName()
    {
        using var scratch = new ScratchDirectory();
        var (code, _, errors) = await ServeCliProcess.RunAsync(scratch, "start", "--config-dir", "nowhere", "--state-dir", scratch.In("state"), "--http-port", "0", "--admin-port", "0");
        Assert.Equal(2, code);
        Assert.Contains("--config-dir: there is no directory", errors, StringComparison.Ordinal);
    }

    [HelmTheory]
    [MemberData(nameof(RenderedChart.ValuesFiles), MemberType = typeof(RenderedChart))]
    public async Task Commands_ArgumentsAreThoseOfTheCommandLine(string values)
    {
        var chart = await RenderedChart.RenderAsync("--values", RenderedChart.ValuesFile(values));
        List<IEnumerable<string>> commands = [chart.Container.Args.Select(argument => argument.Replace("$(POD_NAME)", "serve-0", StringComparison.Ordinal)), chart.Container.Lifecycle.PreStop.Exec.Command.Skip(1)];
        var root = Cli.Verbs.ServeRootCommand.Create(new(TextWriter.Null, TextWriter.Null, IsInteractive: false), default!);
        Assert.All(commands, command => Assert.Empty(root.Parse([.. command]).Errors.Select(error => error.Message)));
        Assert.Equal("serve", chart.Container.Lifecycle.PreStop.Exec.Command[0]);
    }

    private static string Application(string name) =>
        $"applications:\n  - name: {name}\n    import_path: {Path.Combine(ServeExecutable.Root, "deployments", "Counter.cs")}\n    route_prefix: /{name}\n";

    /// <summary>A directory as a kubelet mounts a ConfigMap: files are links into a folder that is exchanged at once.</summary>
    private sealed class MountedConfigMap
    {
        private int _version;

        public MountedConfigMap(string path)
        {
            Path = Directory.CreateDirectory(path).FullName;
            Exchange(null);
        }

        public string Path { get; }

        public void Replace(string config) => Exchange(config);

        private void Exchange(string? config)
        {
            var folder = $"..{++_version}";
            Directory.CreateDirectory(System.IO.Path.Combine(Path, folder));
            if (config is not null)
                File.WriteAllText(System.IO.Path.Combine(Path, folder, "serve.yaml"), config);
            var (data, next, link) = (System.IO.Path.Combine(Path, "..data"), System.IO.Path.Combine(Path, "..data_tmp"), System.IO.Path.Combine(Path, "serve.yaml"));
            Directory.CreateSymbolicLink(next, folder);
            // File.Move refuses links to folders.
            using var rename = System.Diagnostics.Process.Start("mv", ["-T", next, data]);
            rename.WaitForExit();
            if (config is not null && !File.Exists(link))
                File.CreateSymbolicLink(link, "..data/serve.yaml");
        }
    }

    /// <summary>The container as a process: the rendered arguments with paths and ports of this machine.</summary>
    private sealed partial class Kubelet : IAsyncDisposable
    {
        private readonly ScratchDirectory _scratch;
        private readonly V1Container _container;
        private readonly string _admin;
        private readonly string _tokenFile;
        private readonly HttpClient _probes = new();

        private Kubelet(ScratchDirectory scratch, V1Container container, ServeCliProcess process, string gateway, string admin, string tokenFile)
        {
            (_scratch, _container, Process, _admin, _tokenFile) = (scratch, container, process, admin, tokenFile);
            Gateway = new() { BaseAddress = new(gateway) };
        }

        public ServeCliProcess Process { get; }

        public HttpClient Gateway { get; }

        public static async Task<Kubelet> StartAsync(ScratchDirectory scratch, RenderedChart chart, string configDir)
        {
            var tokenFile = scratch.In("token");
            await File.WriteAllTextAsync(tokenFile, new string('t', 64));
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(tokenFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            List<string> arguments = [.. chart.Container.Args.Select(argument => argument
                .Replace("=8000", "=0", StringComparison.Ordinal)
                .Replace("=8265", "=0", StringComparison.Ordinal)
                .Replace("/var/lib/serve", scratch.In("state"), StringComparison.Ordinal)
                .Replace("/etc/serve/config", configDir, StringComparison.Ordinal)
                .Replace("/etc/serve/token/token", tokenFile, StringComparison.Ordinal)
                .Replace("$(POD_NAME)", chart.Nodes.Metadata.Name + "-0", StringComparison.Ordinal))];
            var process = ServeCliProcess.Start(scratch, arguments);
            try
            {
                var gateway = await process.WaitForLineAsync("gateway  ");
                var admin = (await process.WaitForLineAsync("admin    ")).Split(' ')[0];
                return new(scratch, chart.Container, process, Loopback(gateway), Loopback(admin), tokenFile);
            }
            catch
            {
                await process.DisposeAsync();
                throw;
            }
        }

        /// <summary>Asks a probe as a kubelet does: by the address of the pod, without a token.</summary>
        public Task WaitForProbeAsync(V1Probe probe, HttpStatusCode expected)
        {
            var port = _container.Ports.Single(port => port.Name == probe.HttpGet.Port.Value).Name == "http" ? Gateway.BaseAddress! : new Uri(_admin);
            return Eventually.TrueAsync(
                async () =>
                {
                    using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(port, probe.HttpGet.Path));
                    request.Headers.Host = $"10.1.2.3:{port.Port}";
                    using var response = await _probes.SendAsync(request);
                    return response.StatusCode == expected;
                },
                () => $"{probe.HttpGet.Path} {expected}\n{this}");
        }

        /// <summary>Runs a command inside the container.</summary>
        public Task<(int Code, string Output, string Errors)> RunAsync(IList<string> command)
        {
            Assert.Equal("serve", command[0]);
            return ServeAsync([.. command.Skip(1)]);
        }

        public Task<(int Code, string Output, string Errors)> ServeAsync(params string[] arguments) =>
            ServeCliProcess.RunAsync(_scratch, [.. arguments, "--address", _admin, "--token-file", _tokenFile]);

        public async Task<string?> MetricAsync(string name)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(new(_admin), "/metrics"));
            request.Headers.Authorization = new("Bearer", await File.ReadAllTextAsync(_tokenFile));
            using var response = await _probes.SendAsync(request);
            return Regex.Match(await response.Content.ReadAsStringAsync(), $"^{name} (.*)$", RegexOptions.Multiline) is { Success: true } match ? match.Groups[1].Value : null;
        }

        public override string ToString() => Process.ToString();

        public async ValueTask DisposeAsync()
        {
            Gateway.Dispose();
            _probes.Dispose();
            await Process.DisposeAsync();
        }

        private static string Loopback(string address) => AnyAddress().Replace(address, "127.0.0.1");

        [GeneratedRegex(@"0\.0\.0\.0|\[::\]")]
        private static partial Regex AnyAddress();
    }
}
