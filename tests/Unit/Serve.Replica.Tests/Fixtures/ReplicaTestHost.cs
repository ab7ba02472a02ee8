using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serve.Http;
using Serve.Replica.Activation;
using Serve.Replica.Loading;
using Serve.Replicas;
using Serve.Runtime;
using Serve.Specs;

namespace Serve.Replica.Tests.Fixtures;

/// <summary>A replica behind Kestrel on port 0, as with a gateway in the same process. Its class is a sample of this assembly, loaded like user code.</summary>
public sealed class ReplicaTestHost : IAsyncDisposable
{
    public const string Prefix = "/app";

    private readonly WebApplication _app;
    private readonly CancellationTokenSource _aborted;
    private readonly string _logs;
    private bool _disposed;

    private ReplicaTestHost(WebApplication app, ActorActivationContext context, ActorInstance instance, UserAssemblyCache assemblies, ReplicaFolders folders, CancellationTokenSource aborted)
    {
        (_app, Context, Instance, Assemblies, _logs, _aborted) = (app, context, instance, assemblies, folders.Logs, aborted);
        LogDirectory = folders.LogsOf(ReplicaId.TryParse(context.Spec.Id.Value, out var id) ? id : throw new InvalidOperationException());
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
    }

    public HttpClient Client { get; }

    public ActorActivationContext Context { get; }

    public ActorInstance Instance { get; private set; }

    public UserAssemblyCache Assemblies { get; }

    public string LogDirectory { get; }

    public string Log => string.Concat(Directory.GetFiles(LogDirectory, "replica*.log").Order().Select(ReadShared));

    public static async Task<ReplicaTestHost> StartAsync(Type sample, ReplicaTestOptions? options = null)
    {
        options ??= new ReplicaTestOptions();
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = options.Environment });
        builder.WebHost.UseKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = 1000).UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        foreach (var provider in options.ProcessLoggers)
            builder.Logging.AddProvider(provider);
        if (options.Handles is { } handles)
            builder.Services.AddSingleton(handles);
        if (options.Time is { } time)
            builder.Services.AddSingleton(time);
        var app = builder.Build();
        var assemblies = options.Assemblies ?? new UserAssemblyCache();
        var aborted = new CancellationTokenSource();
        var folders = SamplePackages.FoldersOf(options.AssemblyPath ?? sample.Assembly.Location, options.LogRoot ?? Directory.CreateTempSubdirectory("serve-replica-logs-").FullName);
        var context = options.ToContext(sample, app.Services, aborted.Token);
        IActorHttpHandler? http = null;
        app.Run(async request =>
        {
            request.Request.Path.StartsWithSegments(Prefix, out var rest);
            request.Request.PathBase = Prefix;
            request.Request.Path = rest;
            if (!await http!.TryHandleAsync(request))
                request.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        });
        try
        {
            var instance = await new ReplicaActivator(assemblies, folders).ActivateAsync(context, CancellationToken.None);
            http = (IActorHttpHandler)instance;
            await app.StartAsync();
            return new ReplicaTestHost(app, context, instance, assemblies, folders, aborted);
        }
        catch
        {
            await app.DisposeAsync();
            if (options.LogRoot is null)
                Directory.Delete(folders.Logs, recursive: true);
            throw;
        }
    }

    public void Abort() => _aborted.Cancel();

    public Task<string> GetAsync(string path = "") => Client.GetStringAsync(Prefix + path);

    public async Task<(int Status, JsonNode? Body)> SendAsync(HttpMethod method, string path = "", HttpContent? content = null)
    {
        using var request = new HttpRequestMessage(method, Prefix + path) { Content = content };
        using var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    /// <summary>Reconfigures the running replica: its <c>user_config</c> and other settings that may change at run time.</summary>
    public async Task ReconfigureAsync(JsonObject? config, int rank = 1, int worldSize = 3, int maxOngoingRequests = 100) =>
        await Instance.ReconfigureAsync(
            JsonSerializer.SerializeToUtf8Bytes(
                new ReplicaSettingsUpdate
                {
                    Spec = new DeploymentSpec { Name = "any", UserConfig = config, MaxOngoingRequests = maxOngoingRequests },
                    Place = new(rank, worldSize),
                },
                ServeJson.Options),
            CancellationToken.None);

    public async Task DisposeInstanceAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await Instance.DisposeAsync();
        // As in the runtime, a stopped instance is not referenced any more.
        Instance = null!;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
        await DisposeInstanceAsync();
        Directory.Delete(_logs, recursive: true);
        _aborted.Dispose();
    }

    private static string ReadShared(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }
}
