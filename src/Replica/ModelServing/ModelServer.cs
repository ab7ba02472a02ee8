using System.Collections.Immutable;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Inference;
using Serve.Replica.ModelServing.Protocol;
using Serve.Replica.ModelServing.Rpc;
using Serve.Runtime.RawGrpc;

namespace Serve.Replica.ModelServing;

/// <summary>
/// The deployment class of models that are served without code: loads the package's versions and answers the model's part of the Open Inference Protocol v2
/// below its route prefix. The one writer of which versions are loaded.
/// </summary>
internal sealed partial class ModelServer : IIngress, IAsyncDisposable
{
    private readonly IOnnxModels models;
    private readonly string folder;
    private readonly TimeProvider time;
    private readonly ILogger<ModelServer> logger;
    private readonly ModelNames names;
    private readonly ModelRpc rpc;
    private readonly SemaphoreSlim loading = new(1, 1);
    private volatile ModelVersions? loaded;

    public ModelServer(IOnnxModels models, IReplicaContext replica, IHostEnvironment environment, TimeProvider time, ILogger<ModelServer> logger)
    {
        (this.models, this.time, this.logger) = (models, time, logger);
        folder = environment.ContentRootPath;
        names = new(replica.DeploymentId.Application);
        Batching = new(() => loaded is { } current ? current.All : []);
        rpc = new(this);
    }

    /// <summary>Loads with other settings. Requests go on with what was loaded before until the new is ready.</summary>
    public async Task Reconfigure(ModelConfig config, CancellationToken cancellationToken)
    {
        await loading.WaitAsync(cancellationToken);
        try
        {
            var before = loaded;
            loaded = await LoadAsync(config, before, cancellationToken);
            before?.Dispose();
        }
        finally
        {
            loading.Release();
        }
    }

    /// <summary>Loads with the defaults when there is no <c>user_config</c>, so that a replica counts as ready once it can answer.</summary>
    public Task CheckHealth(CancellationToken cancellationToken) => loaded is null ? Reconfigure(new(), cancellationToken) : Task.CompletedTask;

    /// <summary>What the model takes and gives, in one version; the highest when it is empty.</summary>
    public ModelMetadata Metadata(string version) => Describe(names.Default, version);

    /// <summary>How the model is served, in one version; the highest when it is empty.</summary>
    public ModelConfiguration Configuration(string version) => Loaded.Find(version).Configure(names.Default);

    /// <summary>What this replica has done, by version.</summary>
    public ModelStatistics[] Statistics() => [.. Loaded.All.Select(version => version.Counters.Read(names.Default, version.Name))];

    public void Map(IEndpointRouteBuilder routes)
    {
        foreach (var prefix in new[] { "", "/versions/{version}" })
        {
            routes.MapGet(prefix.Length == 0 ? "/" : prefix, MetadataAsync);
            routes.MapGet(prefix + "/ready", ReadyAsync);
            routes.MapGet(prefix + "/config", ConfigurationAsync);
            routes.MapGet(prefix + "/stats", StatisticsAsync);
            routes.MapPost(prefix + "/infer", InferAsync);
        }

        // The gateway leads calls here by their message's model_name.
        routes.MapPost("/inference.GRPCInferenceService/ModelInfer", context => CallAsync(context, rpc.InferAsync));
        routes.MapPost("/inference.GRPCInferenceService/ModelStreamInfer", context => CallAsync(context, rpc.StreamAsync));
        routes.Map("/{**rest}", NothingAsync);
    }

    public ValueTask DisposeAsync()
    {
        loaded?.Dispose();
        loading.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>How requests are gathered into runs.</summary>
    internal ModelBatching Batching { get; }

    internal ModelVersions Loaded => loaded ?? throw new NoReplicaException("The model is not loaded yet.");

    private static string? VersionOf(HttpContext context) => (string?)context.Request.RouteValues["version"];

    private async Task<ModelVersions> LoadAsync(ModelConfig config, ModelVersions? before, CancellationToken cancellationToken)
    {
        var files = ModelFiles.Find(folder);
        if (config.Versions is { IsDefaultOrEmpty: false } wanted)
        {
            var unknown = wanted.Except(files.Select(file => file.Version)).ToList();
            if (unknown.Count > 0)
                throw new BadInputException($"user_config.versions: there is no version {string.Join(", ", unknown)}; there are {string.Join(", ", files.Select(file => file.Version))}.");
            files = [.. files.Where(file => wanted.Contains(file.Version))];
        }

        if (files.Count == 0)
            throw new InferenceException($"{folder} holds no model: a model lies in VERSION/{ModelFiles.FileName}.");
        var options = config.ToOptions();
        var versions = ImmutableArray.CreateBuilder<ModelVersion>();
        try
        {
            foreach (var (number, file) in files)
            {
                var started = time.GetTimestamp();
                var model = await models.LoadAsync(file, options, cancellationToken);
                // What was counted stays counted when only settings change.
                var counters = before?.All.FirstOrDefault(version => version.Number == number)?.Counters ?? new ModelCounters(time);
                versions.Add(new(number, model, counters, Batching, time, logger));
                LogLoaded(logger, names.Default, number, model.ExecutionProvider, time.GetElapsedTime(started).TotalMilliseconds);
            }

            return new(versions.ToImmutable());
        }
        catch
        {
            foreach (var version in versions)
                version.Dispose();
            throw;
        }
    }

    private ModelMetadata Describe(string name, string? version)
    {
        var current = Loaded;
        return current.Find(version).Describe(name, current.Names);
    }

    private Task MetadataAsync(HttpContext context) =>
        AnswerAsync(context, () => JsonDocuments.WriteAsync(context, Describe(names.Of(context), VersionOf(context))));

    private Task ConfigurationAsync(HttpContext context) =>
        AnswerAsync(context, () => JsonDocuments.WriteAsync(context, Loaded.Find(VersionOf(context)).Configure(names.Of(context))));

    private Task ReadyAsync(HttpContext context) => AnswerAsync(context, () =>
    {
        Loaded.Find(VersionOf(context));
        return JsonDocuments.WriteAsync(context, new { name = names.Of(context), ready = true });
    });

    private Task StatisticsAsync(HttpContext context) => AnswerAsync(context, () =>
    {
        var (current, version) = (Loaded, VersionOf(context));
        var asked = version is null ? current.All : [current.Find(version)];
        return JsonDocuments.WriteAsync(context, new { model_stats = asked.Select(each => each.Counters.Read(names.Of(context), each.Name)) });
    });

    private Task NothingAsync(HttpContext context) => AnswerAsync(context, () => throw new NoSuchRouteException(
        $"There is nothing at {context.Request.Method} '{context.Request.PathBase}{context.Request.Path}'. Below a model are GET / (its metadata), GET /ready, GET /config, GET /stats and POST /infer, and the same below /versions/VERSION."));

    private Task InferAsync(HttpContext context) => AnswerAsync(context, () => InferAsync(context, names.Of(context), VersionOf(context)));

    private async Task InferAsync(HttpContext context, string name, string? asked)
    {
        var current = Loaded.Find(asked);
        var body = await RequestBody.ReadAsync(context.Request, context.RequestAborted);
        var request = new InferRequest();
        request.Own(body);
        request.Version = asked;
        ModelVersion Read()
        {
            if (body.IsRaw)
                RawBinaryRequest.Read(body.Binary, current.Model, request);
            else
                JsonRequest.Read(body.Json, body.Binary, body.HasBinaryPart, request);
            return current;
        }

        await ServeAsync(
            request, Read,
            (version, outputs) => JsonResponse.WriteAsync(context, name, version.Name, request, outputs),
            context.RequestAborted);
    }

    /// <summary>One inference, in whatever form it came: read, checked, run, answered and counted.</summary>
    internal async Task ServeAsync(
        InferRequest request, Func<ModelVersion> read, Func<ModelVersion, ModelOutputs, Task> answer, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var isRead = false;
        ModelVersion? current = null;
        try
        {
            current = read();
            request.Check(current.Model);
            isRead = true;
            var input = time.GetElapsedTime(started);
            var (version, outputs) = await RunAsync(current, request, cancellationToken);
            using (outputs)
            {
                var ran = time.GetTimestamp();
                await answer(version, Classification.Apply(outputs, request, version.Model));
                version.Counters.Succeeded(request.BatchSize(version.Model), input, time.GetElapsedTime(ran), time.GetElapsedTime(started));
            }

            request.Release();
        }
        catch
        {
            // A run that was given up may still read its inputs.
            if (!isRead)
                request.Release();
            (current ?? Loaded.All[^1]).Counters.Fail.Add(time.GetElapsedTime(started));
            throw;
        }
    }

    /// <summary>Runs it, again as often as settings changed just now and what it was to run with has gone.</summary>
    private async ValueTask<(ModelVersion Version, ModelOutputs Outputs)> RunAsync(
        ModelVersion version, InferRequest request, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return (version, await version.RunAsync(request, cancellationToken));
            }
            catch (ObjectDisposedException) when (loaded is { } current && current.Find(request.Version) is { } next && next != version)
            {
                version = next;
            }
        }
    }

    private async Task CallAsync(HttpContext context, Func<HttpContext, string, CancellationToken, Task> serve)
    {
        if (await GrpcAnswers.RunAsync(context, stop => serve(context, names.Of(context), stop), time) is { } wrong)
            LogFailed(logger, wrong, context.Request.Method, context.Request.PathBase + context.Request.Path);
    }

    private async Task AnswerAsync(HttpContext context, Func<Task> answer)
    {
        try
        {
            await answer();
        }
        catch (Exception thrown) when (!context.RequestAborted.IsCancellationRequested)
        {
            var (status, error) = Explain(thrown);
            if (status >= StatusCodes.Status500InternalServerError)
                LogFailed(logger, thrown, context.Request.Method, context.Request.PathBase + context.Request.Path);
            await JsonResponse.WriteErrorAsync(context, status, error);
        }
    }

    private static (int Status, string Error) Explain(Exception thrown) => thrown switch
    {
        ServeException known => (known.StatusCode, known.Message),
        BadHttpRequestException bad => (bad.StatusCode, bad.Message),
        _ => (StatusCodes.Status500InternalServerError, thrown.Message),
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Model} version {Version} is loaded on {Provider} after {Milliseconds:0.0} ms")]
    private static partial void LogLoaded(ILogger logger, string model, long version, string provider, double milliseconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailed(ILogger logger, Exception thrown, string method, string path);
}
