using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;

namespace Serve.Runtime.Onnx;

/// <summary>
/// Loads and runs a model in a process of its own before this process loads it: the native runtime ends its process at some models, without an exception. Remembers the files that passed.
/// </summary>
/// <param name="command">Command line that runs <see cref="RunAsync"/>.</param>
public sealed class OnnxModelProbe(IReadOnlyList<string> command)
{
    private const int MaxReported = 2000;
    private readonly ConcurrentDictionary<string, bool> _passed = new(StringComparer.Ordinal);

    /// <summary>Checks that loading a model and a first run do not end the process.</summary>
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
                throw new InferenceException($"{Path.GetFileName(path)} ends the process that loads or runs it, with signal {process.ExitCode - 128}: {Tail(errors)}");
            _passed[key] = true;
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Main method of the probing process: reads a request from standard input, loads the model and runs it once.</summary>
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
            using var model = await loader.LoadAsync(request.Path, request.Options with { WarmUpRuns = Math.Max(1, request.Options.WarmUpRuns) });
            return 0;
        }
        catch (Exception failed) when (failed is InferenceException or DefinitionException)
        {
            return 1;
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
