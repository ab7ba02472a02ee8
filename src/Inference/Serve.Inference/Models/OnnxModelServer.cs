using System.Collections.Immutable;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Inference.Grpc;
using Serve.Inference.Rest;
using Serve.Inference.Tensors;
using Serve.Replica.Batching;
using Serve.Replica.Instances;
using Serve.Runtime;
using Serve.Runtime.RawGrpc;
using Serve.Specs;

namespace Serve.Inference.Models;

/// <summary>
/// The deployment class of models that are served without code: loads the package's versions and answers the model's part of the Open Inference Protocol v2
/// below its route prefix. The one writer of which versions are loaded.
/// </summary>
internal sealed partial class OnnxModelServer : IIngress, IBuiltInDeployment, IAsyncDisposable
{
    private readonly IOnnxModels _models;
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly ILogger<OnnxModelServer> _logger;
    private readonly ServedModelName _names;
    private readonly ModelGrpcService _rpc;
    private readonly SemaphoreSlim _loading = new(1, 1);
    private volatile LoadedModelVersions? _loaded;

    public OnnxModelServer(IOnnxModels models, IReplicaContext replica, IHostEnvironment environment, TimeProvider time, ILogger<OnnxModelServer> logger)
    {
        (this._models, this._time, this._logger) = (models, time, logger);
        _folder = environment.ContentRootPath;
        _names = new(replica.DeploymentId.Application);
        Batching = new(() => _loaded is { } current ? current.All : []);
        _rpc = new(this);
    }

    /// <summary>Loads with other settings. Requests go on with what was loaded before until the new is ready.</summary>
    public async Task Reconfigure(ModelUserConfig config, CancellationToken cancellationToken)
    {
        await _loading.WaitAsync(cancellationToken);
        try
        {
            var before = _loaded;
            _loaded = await LoadAsync(config, before, cancellationToken);
            before?.Dispose();
        }
        finally
        {
            _loading.Release();
        }
    }

    /// <summary>Loads with the defaults when there is no <c>user_config</c>, so that a replica counts as ready once it can answer.</summary>
    public Task CheckHealth(CancellationToken cancellationToken) => _loaded is null ? Reconfigure(new(), cancellationToken) : Task.CompletedTask;

    /// <summary>What the model takes and gives, in one version; the highest when it is empty.</summary>
    public ModelMetadata Metadata(string version) => Describe(_names.Default, version);

    /// <summary>How the model is served, in one version; the highest when it is empty.</summary>
    public ModelConfiguration Configuration(string version) => Loaded.Find(version).Configure(_names.Default);

    /// <summary>What this replica has done, by version.</summary>
    public ModelStatistics[] Statistics() => [.. Loaded.All.Select(version => version.Counters.Read(_names.Default, version.Name))];

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
        routes.MapPost("/inference.GRPCInferenceService/ModelInfer", context => CallAsync(context, _rpc.InferAsync));
        routes.MapPost("/inference.GRPCInferenceService/ModelStreamInfer", context => CallAsync(context, _rpc.StreamAsync));
        routes.Map("/{**rest}", NothingAsync);
    }

    public ValueTask DisposeAsync()
    {
        _loaded?.Dispose();
        _loading.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>How requests are gathered into runs.</summary>
    internal ModelBatchingConfigKey Batching { get; }

    string IBuiltInDeployment.BatchFunction => "infer";

    IUserConfigKey IBuiltInDeployment.BatchingKey => Batching;

    int? IBuiltInDeployment.MaxBatchSize => Batching.Settings is { Enabled: true, Queue.MaxBatchSize: var size } ? size : null;

    int IBuiltInDeployment.QueueLength => Batching.Length;

    void IBuiltInDeployment.Attach(IBatchQueueObserver observer, ConcurrencyLimiter gate) => Batching.Attach(observer, gate);

    internal LoadedModelVersions Loaded => _loaded ?? throw new NoReplicaException("The model is not loaded yet.");

    private static string? VersionOf(HttpContext context) => (string?)context.Request.RouteValues["version"];

    private async Task<LoadedModelVersions> LoadAsync(ModelUserConfig config, LoadedModelVersions? before, CancellationToken cancellationToken)
    {
        var files = ModelVersionFiles.Find(_folder);
        if (config.Versions is { IsDefaultOrEmpty: false } wanted)
        {
            var unknown = wanted.Except(files.Select(file => file.Version)).ToList();
            if (unknown.Count > 0)
                throw new BadInputException($"user_config.versions: there is no version {string.Join(", ", unknown)}; there are {string.Join(", ", files.Select(file => file.Version))}.");
            files = [.. files.Where(file => wanted.Contains(file.Version))];
        }

        if (files.Count == 0)
            throw new InferenceException($"{_folder} holds no model: a model lies in VERSION/{ModelVersionFiles.FileName}.");
        var options = config.ToOptions();
        var versions = ImmutableArray.CreateBuilder<LoadedModelVersion>();
        try
        {
            foreach (var (number, file) in files)
            {
                var started = _time.GetTimestamp();
                var model = await _models.LoadAsync(file, options, cancellationToken);
                // What was counted stays counted when only settings change.
                var counters = before?.All.FirstOrDefault(version => version.Number == number)?.Counters ?? new ModelVersionCounters(_time);
                versions.Add(new(number, model, counters, Batching, _time, _logger));
                LogLoaded(_logger, _names.Default, number, model.ExecutionProvider, _time.GetElapsedTime(started).TotalMilliseconds);
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
        AnswerAsync(context, () => JsonDocumentResponse.WriteAsync(context, Describe(_names.Of(context), VersionOf(context))));

    private Task ConfigurationAsync(HttpContext context) =>
        AnswerAsync(context, () => JsonDocumentResponse.WriteAsync(context, Loaded.Find(VersionOf(context)).Configure(_names.Of(context))));

    private Task ReadyAsync(HttpContext context) => AnswerAsync(context, () =>
    {
        Loaded.Find(VersionOf(context));
        return JsonDocumentResponse.WriteAsync(context, new { name = _names.Of(context), ready = true });
    });

    private Task StatisticsAsync(HttpContext context) => AnswerAsync(context, () =>
    {
        var (current, version) = (Loaded, VersionOf(context));
        var asked = version is null ? current.All : [current.Find(version)];
        return JsonDocumentResponse.WriteAsync(context, new { model_stats = asked.Select(each => each.Counters.Read(_names.Of(context), each.Name)) });
    });

    private Task NothingAsync(HttpContext context) => AnswerAsync(context, () => throw new NoSuchRouteException(
        $"There is nothing at {context.Request.Method} '{context.Request.PathBase}{context.Request.Path}'. Below a model are GET / (its metadata), GET /ready, GET /config, GET /stats and POST /infer, and the same below /versions/VERSION."));

    private Task InferAsync(HttpContext context) => AnswerAsync(context, () => InferAsync(context, _names.Of(context), VersionOf(context)));

    private async Task InferAsync(HttpContext context, string name, string? asked)
    {
        var current = Loaded.Find(asked);
        var body = await InferRequestBody.ReadAsync(context.Request, context.RequestAborted);
        var request = new InferenceRequest();
        request.Own(body);
        request.Version = asked;
        LoadedModelVersion Read()
        {
            if (body.IsRaw)
                RawBinaryRequestReader.Read(body.Binary, current.Model, request);
            else
                JsonInferRequestReader.Read(body.Json, body.Binary, body.HasBinaryPart, request);
            return current;
        }

        await ServeAsync(
            request, Read,
            (version, outputs) => JsonInferResponseWriter.WriteAsync(context, name, version.Name, request, outputs),
            context.RequestAborted);
    }

    /// <summary>One inference, in whatever form it came: read, checked, run, answered and counted.</summary>
    internal async Task ServeAsync(
        InferenceRequest request, Func<LoadedModelVersion> read, Func<LoadedModelVersion, ModelOutputs, Task> answer, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var isRead = false;
        LoadedModelVersion? current = null;
        try
        {
            current = read();
            request.Validate(current.Model);
            isRead = true;
            var input = _time.GetElapsedTime(started);
            var (version, outputs) = await RunAsync(current, request, cancellationToken);
            using (outputs)
            {
                var ran = _time.GetTimestamp();
                await answer(version, ClassificationOutputs.Apply(outputs, request, version.Model));
                version.Counters.RecordSuccess(request.BatchSize(version.Model), input, _time.GetElapsedTime(ran), _time.GetElapsedTime(started));
            }

            request.Release();
        }
        catch
        {
            // A run that was given up may still read its inputs.
            if (!isRead)
                request.Release();
            (current ?? Loaded.All[^1]).Counters.Fail.Add(_time.GetElapsedTime(started));
            throw;
        }
    }

    /// <summary>Runs it, again as often as settings changed just now and what it was to run with has gone.</summary>
    private async ValueTask<(LoadedModelVersion Version, ModelOutputs Outputs)> RunAsync(
        LoadedModelVersion version, InferenceRequest request, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return (version, await version.RunAsync(request, cancellationToken));
            }
            catch (ObjectDisposedException) when (_loaded is { } current && current.Find(request.Version) is { } next && next != version)
            {
                version = next;
            }
        }
    }

    private async Task CallAsync(HttpContext context, Func<HttpContext, string, CancellationToken, Task> serve)
    {
        if (await GrpcAnswers.RunAsync(context, stop => serve(context, _names.Of(context), stop), _time) is { } wrong)
            LogFailed(_logger, wrong, context.Request.Method, context.Request.PathBase + context.Request.Path);
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
                LogFailed(_logger, thrown, context.Request.Method, context.Request.PathBase + context.Request.Path);
            await JsonInferResponseWriter.WriteErrorAsync(context, status, error);
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
