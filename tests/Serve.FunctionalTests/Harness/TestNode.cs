using System.Diagnostics;
using Serve.Admin;
using Serve.Specs;

namespace Serve.FunctionalTests.Harness;

/// <summary>A node of its own: free ports, its own state directory, ended and reaped with the test.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private readonly Scratch? owned;

    private TestNode(Scratch scratch, Scratch? owned, ServeProcess process, string gateway, string admin)
    {
        Scratch = scratch;
        this.owned = owned;
        Process = process;
        GatewayAddress = gateway;
        AdminAddress = admin;
        Gateway = new HttpClient { BaseAddress = new Uri(gateway), Timeout = TimeSpan.FromSeconds(30) };
        Admin = new AdminClient(admin);
    }

    public Scratch Scratch { get; }

    public ServeProcess Process { get; }

    public string GatewayAddress { get; }

    public string AdminAddress { get; }

    public HttpClient Gateway { get; }

    public AdminClient Admin { get; }

    public static async Task<TestNode> StartAsync(IsolationMode isolation = IsolationMode.Application, Scratch? scratch = null, params string[] more)
    {
        var folder = scratch ?? new Scratch();
        var process = ServeProcess.Start(
            folder, ["start", "--http-port", "0", "--admin-port", "0", "--state-dir", folder.In("state"), "--isolation", isolation.ToString().ToLowerInvariant(), .. more]);
        try
        {
            var gateway = await process.LineAsync("gateway  ");
            var admin = (await process.LineAsync("admin    ")).Split(' ')[0];
            await process.LineAsync("The node is up.");
            return new(folder, scratch is null ? folder : null, process, gateway, admin);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a verb against this node.</summary>
    public Task<(int Code, string Output, string Errors)> CliAsync(params IEnumerable<string> arguments) =>
        ServeProcess.RunAsync(Scratch, [.. arguments, "--address", AdminAddress]);

    /// <summary>Uploads a package and deploys it as the application <c>lab</c> under <c>/lab</c>.</summary>
    public async Task DeployAsync(string package, DeploymentOptions? options = null, string name = "lab", bool wait = true)
    {
        string import;
        await using (var zip = File.OpenRead(package))
            import = (await Admin.UploadPackageAsync(zip)).ImportPath;
        await Admin.DeployAsync(new ApplicationConfig
        {
            Name = name,
            RoutePrefix = "/" + name,
            ImportPath = import,
            Deployments = options is null ? [] : [options with { Name = "Lab" }],
        });
        if (wait)
            await StatusAsync(ApplicationStatus.Running, name);
    }

    public async Task<ApplicationDetails> StatusAsync(ApplicationStatus wanted, string name = "lab", TimeSpan? within = null)
    {
        ApplicationDetails? found = null;
        await Eventually.TrueAsync(
            async () => (found = (await Admin.GetStatusAsync()).Applications.GetValueOrDefault(name))?.Status == wanted,
            () => $"{name} {wanted}, but {found?.Status} {found?.Message}\n{Process}",
            within);
        return found!;
    }

    /// <summary>Waits until the deployment has so many replicas, all running.</summary>
    public async Task<IReadOnlyList<ReplicaDetails>> RunningAsync(int replicas, TimeSpan? within = null)
    {
        IReadOnlyList<ReplicaDetails> found = [];
        await Eventually.TrueAsync(
            async () =>
            {
                found = (await Admin.GetApplicationAsync("lab")).Deployments["Lab"].Replicas;
                return found.Count == replicas && found.All(replica => replica.State == ReplicaState.Running);
            },
            () => $"{replicas} replicas running, but {string.Join(", ", found.Select(replica => replica.State))}\n{Process}",
            within);
        return found;
    }

    public async Task<List<int>> WorkersAsync() => [.. (await Admin.GetNodesAsync()).Nodes.Single().Workers.Select(worker => worker.Pid)];

    /// <summary>Ends it as Ctrl+C would and checks that it ends well.</summary>
    public async Task<string> StopAsync(int signal = ServeProcess.Terminate)
    {
        Process.Signal(signal);
        Assert.True(await Process.ExitAsync() == 0, Process.ToString());
        return Process.Output;
    }

    public async ValueTask DisposeAsync()
    {
        Gateway.Dispose();
        Admin.Dispose();
        if (!Process.HasExited)
        {
            Process.Signal(ServeProcess.Terminate);
            var watch = Stopwatch.StartNew();
            while (!Process.HasExited && watch.Elapsed < TimeSpan.FromSeconds(10))
                await Task.Delay(10);
        }

        await Process.DisposeAsync();
        owned?.Dispose();
    }
}
