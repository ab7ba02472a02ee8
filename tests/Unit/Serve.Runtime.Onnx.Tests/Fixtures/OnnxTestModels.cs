using Microsoft.Extensions.Logging;

namespace Serve.Runtime.Onnx.Tests.Fixtures;

/// <summary>Temporary folder of model files, with a loader and its log.</summary>
public sealed class OnnxTestModels : IDisposable
{
    private readonly RecordingLogger _logger = new();

    public OnnxTestModels() => Loader = Place(new OnnxLoadContext());

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("serve-onnx-").FullName;

    public IOnnxModels Loader { get; }

    public IReadOnlyCollection<string> Log => _logger.Lines;

    public IOnnxModels Place(OnnxLoadContext place) => new OnnxModelLoader(place with { Folders = [Directory] }, _logger);

    public async Task<OnnxModel> LoadAsync(OnnxTestModel model, OnnxOptions? options = null, string name = "model.onnx")
    {
        model.Save(Directory, name);
        return await Loader.LoadAsync(name, options);
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);

    private sealed class RecordingLogger : ILogger
    {
        public System.Collections.Concurrent.ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception));
    }
}
