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
    private bool _disposed;

    private ReplicaTestHost(WebApplication app, ActorActivationContext context, ActorInstance instance, UserAssemblyCache assemblies, string logDirectory, CancellationTokenSource aborted)
    {
        (_app, Context, Instance, Assemblies, LogDirectory, _aborted) = (app, context, instance, assemblies, logDirectory, aborted);
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
        var logDirectory = options.LogDirectory ?? Path.Combine(Directory.CreateTempSubdirectory("serve-replica-logs-").FullName, options.Suffix);
        var context = options.ToContext(sample, app.Services, logDirectory, aborted.Token);
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
            var instance = await new ReplicaActivator(assemblies).ActivateAsync(context, CancellationToken.None);
            http = (IActorHttpHandler)instance;
            await app.StartAsync();
            return new ReplicaTestHost(app, context, instance, assemblies, logDirectory, aborted);
        }
        catch
        {
            await app.DisposeAsync();
            if (options.LogDirectory is null)
                Directory.Delete(Path.GetDirectoryName(logDirectory)!, recursive: true);
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
                    Rank = rank,
                    WorldSize = worldSize,
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
        Directory.Delete(Path.GetDirectoryName(LogDirectory)!, recursive: true);
        _aborted.Dispose();
    }

    private static string ReadShared(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }
}
