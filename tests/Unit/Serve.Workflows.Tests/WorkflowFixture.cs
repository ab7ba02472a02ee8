using Microsoft.Extensions.Logging;

namespace Serve.Workflows.Tests;

/// <summary>A cluster and a folder for databases; hosts can be started again on the same file.</summary>
public sealed class WorkflowFixture : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("serve-workflows-").FullName;

    public Cluster Cluster { get; private set; } = null!;

    public WorkflowHost Host { get; private set; } = null!;

    public string Database => Path.Combine(_folder, "workflows.db");

    public string Folder => _folder;

    public ListLogger Logs { get; } = new();

    public static async Task<WorkflowFixture> Start(WorkflowOptions? options = null)
    {
        var fixture = new WorkflowFixture { Cluster = await Cluster.Init(new() { NumCpus = 8, Observable = false }) };
        await fixture.StartHost(options);
        return fixture;
    }

    public async Task<WorkflowHost> StartHost(WorkflowOptions? options = null) =>
        Host = await Cluster.StartWorkflows((options ?? new()) with { Storage = Database, LoggerFactory = Logs });

    public async Task<WorkflowHost> Restart(WorkflowOptions? options = null)
    {
        await Host.DisposeAsync();
        return await StartHost(options);
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Cluster.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>Keeps log messages.</summary>
public sealed class ListLogger : ILoggerFactory, ILogger
{
    private readonly List<string> _messages = [];

    public IReadOnlyList<string> Messages
    {
        get
        {
            lock (_messages)
                return [.. _messages];
        }
    }

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void Dispose()
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_messages)
            _messages.Add(formatter(state, exception));
    }
}
