using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Runtime.Onnx.Sessions;

namespace Serve.Runtime.Onnx;

/// <summary>
/// Loads and runs a model in a process of its own before this process loads it: the native runtime ends its process at some models, or at some shapes of their inputs, without an exception.
/// Remembers the files that passed.
/// </summary>
/// <param name="command">Command line that runs <see cref="RunAsync"/>.</param>
public sealed class OnnxModelProbe(IReadOnlyList<string> command) : IDisposable
{
    private const int MaxReported = 2000;

    // The models that were found to end their process do so where a dimension has no, one or several elements.
    private static readonly (long Rows, long Others)[] Lengths = [(1, 1), (2, 1), (1, 2), (2, 2), (0, 1)];

    // A large model is probed with the first shapes only.
    private static readonly TimeSpan MaxDuration = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _slots = new(Math.Max(2, Environment.ProcessorCount));
    private readonly ConcurrentDictionary<string, bool> _passed = new(StringComparer.Ordinal);

    /// <summary>Checks that neither loading a model nor running it with small inputs ends the process.</summary>
    /// <param name="path">Absolute path of the model.</param>
    /// <param name="options">Options of the session.</param>
    /// <param name="context">Resources of the replica.</param>
    /// <param name="cancellationToken">Ends the probe.</param>
    /// <exception cref="InferenceException">The process of the probe was ended by a signal.</exception>
    public async Task CheckAsync(string path, OnnxOptions options, OnnxLoadContext context, CancellationToken cancellationToken)
    {
        var request = JsonSerializer.Serialize(new OnnxProbeRequest(path, options, context.GpuIds, context.NumGpus), ServeJson.Options);
        var file = new FileInfo(path);
        var key = $"{file.Length} {file.LastWriteTimeUtc.Ticks} {request}";
        if (_passed.ContainsKey(key))
            return;

        // As many as CPUs: a configuration may deploy many models at once.
        await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_passed.ContainsKey(key))
                await RunProcessAsync(path, request, cancellationToken).ConfigureAwait(false);
            _passed[key] = true;
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <summary>Main method of the probing process: reads a request from standard input, loads the model and runs it with inputs of several shapes.</summary>
    /// <returns>0 if the model was loaded, 1 after an exception.</returns>
    public static async Task<int> RunAsync()
    {
        var input = Console.In;
        if (await input.ReadLineAsync() is not { } line || JsonSerializer.Deserialize<OnnxProbeRequest>(line, ServeJson.Options) is not { } request)
            return 1;
        new Thread(() =>
        {
            input.ReadToEnd();
            Environment.Exit(1);
        })
        { IsBackground = true, Name = "serve probe watch" }.Start();
        try
        {
            var loader = new OnnxModelLoader(new() { GpuIds = request.GpuIds, NumGpus = request.NumGpus }, NullLogger.Instance);
            using var model = await loader.LoadAsync(request.Path, request.Options with { WarmUpRuns = 0 });
            await RunWithSmallInputsAsync(model);
            return 0;
        }
        catch (Exception failed) when (failed is InferenceException or DefinitionException)
        {
            return 1;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _slots.Dispose();

    private async Task RunProcessAsync(string path, string request, CancellationToken cancellationToken)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        }) ?? throw new InvalidOperationException($"{command[0]} did not start.");
        try
        {
            await SendAsync(process, request, cancellationToken).ConfigureAwait(false);
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = await process.StandardError.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
            await output.ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);

            // Any other failure is an exception, which the load in this process throws as well.
            if (process.ExitCode > 128)
                throw new InferenceException($"{Path.GetFileName(path)} ends the process that loads or runs it, with signal {process.ExitCode - 128}. Isolation 'application' or 'replica' serves it in a worker process, which ends instead of the node. Its output: {Tail(errors)}");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private static async Task RunWithSmallInputsAsync(OnnxModel model)
    {
        var started = Stopwatch.GetTimestamp();
        var tried = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (rows, others) in Lengths)
        {
            var inputs = ZeroTensors.Of(model.Inputs, rows, others);
            var text = string.Join(", ", inputs.Select(static input => $"{input.Name}[{string.Join(',', input.Tensor.Shape.ToArray())}]"));
            if (!tried.Add(text) || Stopwatch.GetElapsedTime(started) > MaxDuration)
                continue;

            // The last line is part of the report if the process ends here.
            await Console.Error.WriteLineAsync($"(zeros as inputs: {text})");
            try
            {
                (await model.RunAsync(inputs)).Dispose();
            }
            catch (Exception failed) when (failed is InferenceException or BadInputException)
            {
                // An invalid input; the model reports it.
            }
        }
    }

    // The input stays open: the process ends with this one.
    private static async Task SendAsync(Process process, string request, CancellationToken cancellationToken)
    {
        try
        {
            await process.StandardInput.WriteLineAsync(request.AsMemory(), cancellationToken).ConfigureAwait(false);
            await process.StandardInput.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // It has exited; its exit code states the reason.
        }
    }

    private static string Tail(string errors) => errors.Trim() is { Length: > MaxReported } text ? "…" + text[^MaxReported..] : errors.Trim();
}

/// <summary>A model to probe, with the options of its session and the GPUs of its replica.</summary>
internal sealed record OnnxProbeRequest(string Path, OnnxOptions Options, ImmutableArray<int> GpuIds, double NumGpus);
