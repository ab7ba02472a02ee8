using System.Diagnostics;
using Serve.Admin;
using Serve.Specs;

namespace Serve.Testing;

/// <summary>A node process with free ports and its own state directory, stopped and reaped with the test.</summary>
public sealed class TestNodeProcess : IAsyncDisposable
{
    private readonly ScratchDirectory? _owned;
    private readonly HttpClient _adminHttp;

    private TestNodeProcess(ScratchDirectory scratch, ScratchDirectory? owned, ServeCliProcess process, string gateway, string admin)
    {
        Scratch = scratch;
        _owned = owned;
        Process = process;
        GatewayAddress = gateway;
        AdminAddress = admin;
        Gateway = new HttpClient { BaseAddress = new Uri(gateway), Timeout = TimeSpan.FromSeconds(30) };
        Token = File.Exists(scratch.In("state/token")) ? File.ReadAllText(scratch.In("state/token")).Trim() : null;
        Admin = new AdminClient(admin, new() { Token = Token });
        _adminHttp = new HttpClient { BaseAddress = new Uri(admin) };
        if (Token is not null)
            _adminHttp.DefaultRequestHeaders.Authorization = new("Bearer", Token);
    }

    public ScratchDirectory Scratch { get; }

    public ServeCliProcess Process { get; }

    public string GatewayAddress { get; }

    public string AdminAddress { get; }

    public HttpClient Gateway { get; }

    public AdminClient Admin { get; }

    /// <summary>The token that the node created; null if it did not.</summary>
    public string? Token { get; }

    public static async Task<TestNodeProcess> StartAsync(IsolationMode isolation = IsolationMode.Application, ScratchDirectory? scratch = null, params string[] more)
    {
        var folder = scratch ?? new ScratchDirectory();
        var process = ServeCliProcess.Start(
            folder, ["start", "--http-port", "0", "--admin-port", "0", "--state-dir", folder.In("state"), "--isolation", isolation.ToString().ToLowerInvariant(), .. more]);
        try
        {
            var gateway = await process.WaitForLineAsync("gateway  ");
            var admin = (await process.WaitForLineAsync("admin    ")).Split(' ')[0];
            await process.WaitForLineAsync("The node is up.");
            return new(folder, scratch is null ? folder : null, process, gateway, admin);
        }
        catch
        {
            await process.DisposeAsync();
            if (scratch is null)
                folder.Dispose();
            throw;
        }
    }

    /// <summary>Connects a client with the node's token.</summary>
    public Task<ServeClient> ConnectAsync() => ServeClient.ConnectAsync(GatewayAddress, new() { Token = Token });

    /// <summary>Reads a text of the admin API.</summary>
    public Task<string> GetAdminTextAsync(string path) => _adminHttp.GetStringAsync(path);

    /// <summary>Runs a CLI verb against this node.</summary>
    public Task<(int Code, string Output, string Errors)> CliAsync(params IEnumerable<string> arguments) =>
        ServeCliProcess.RunAsync(Scratch, [.. arguments, "--address", AdminAddress]);

    /// <summary>Uploads a package and deploys it; sets the import path of the application.</summary>
    public async Task DeployAsync(string package, ApplicationConfig application, ApplicationStatus? until = ApplicationStatus.Running)
    {
        await using (var zip = File.OpenRead(package))
            application = application with { ImportPath = (await Admin.UploadPackageAsync(zip)).ImportPath };
        await Admin.DeployAsync(application);
        if (until is { } status)
            await WaitForStatusAsync(status, application.Name);
    }

    /// <summary>Uploads a package and deploys it as the application <c>lab</c> under <c>/lab</c>.</summary>
    public Task DeployAsync(string package, DeploymentOptions? options = null, string name = "lab", bool wait = true) => DeployAsync(
        package,
        new ApplicationConfig
        {
            Name = name,
            RoutePrefix = "/" + name,
            ImportPath = "",
            Deployments = options is null ? [] : [options with { Name = "Lab" }],
        },
        wait ? ApplicationStatus.Running : null);

    public async Task<ApplicationDetails> WaitForStatusAsync(ApplicationStatus wanted, string name = "lab", TimeSpan? within = null)
    {
        ApplicationDetails? found = null;
        await Eventually.TrueAsync(
            async () => (found = (await Admin.GetStatusAsync()).Applications.GetValueOrDefault(name))?.Status == wanted,
            () => $"{name} {wanted}, but {found?.Status} {found?.Message}\n{Process}",
            within);
        return found!;
    }

    /// <summary>Waits until the single deployment of the application has this number of replicas, all of them running.</summary>
    public async Task<IReadOnlyList<ReplicaDetails>> WaitForReplicasAsync(int replicas, TimeSpan? within = null, string name = "lab")
    {
        IReadOnlyList<ReplicaDetails> found = [];
        await Eventually.TrueAsync(
            async () =>
            {
                found = (await Admin.GetApplicationAsync(name)).Deployments.Values.Single().Replicas;
                return found.Count == replicas && found.All(replica => replica.State == ReplicaState.Running);
            },
            () => $"{replicas} replicas running, but {string.Join(", ", found.Select(replica => replica.State))}\n{Process}",
            within);
        return found;
    }

    public async Task<List<int>> GetWorkerPidsAsync() => [.. (await Admin.GetNodesAsync()).Nodes.Single().Workers.Select(worker => worker.Pid)];

    /// <summary>Stops the node with a signal and checks its exit code.</summary>
    public async Task<string> StopAsync(int signal = ServeCliProcess.Terminate)
    {
        Process.Signal(signal);
        Assert.True(await Process.WaitForExitAsync() == 0, Process.ToString());
        return Process.Output;
    }

    public async ValueTask DisposeAsync()
    {
        Gateway.Dispose();
        Admin.Dispose();
        _adminHttp.Dispose();
        if (!Process.HasExited)
        {
            Process.Signal(ServeCliProcess.Terminate);
            var watch = Stopwatch.StartNew();
            while (!Process.HasExited && watch.Elapsed < TimeSpan.FromSeconds(10))
                await Task.Delay(10);
        }

        await Process.DisposeAsync();
        _owned?.Dispose();
    }
}
