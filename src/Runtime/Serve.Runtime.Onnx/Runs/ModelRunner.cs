using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using Serve.Runtime.Onnx.Sessions;
using Serve.Runtime.Onnx.Telemetry;

namespace Serve.Runtime.Onnx.Runs;

/// <summary>Runs one session: checks what goes in, decides on which thread, binds memory. The one writer of what is known of its shapes.</summary>
internal sealed class ModelRunner(InferenceSession session, ModelSignature signature, int concurrentRuns, string name, SessionMetrics metrics) : IDisposable
{
    /// <summary>A run that takes less is done where it is asked for: handing it over would take a tenth of that or more.</summary>
    private static readonly long Quick = Stopwatch.Frequency / 5000;

    /// <summary>Bounds what is kept of a model that is asked for ever new shapes.</summary>
    private const int MaxShapes = 64;

    private const long MaxWaitingBytes = 64 << 20;

    private readonly ConcurrentBag<RunScratch> scratches = [];
    private readonly OutputBudget budget = new(MaxWaitingBytes);
    private readonly Lock guard = new();
    private RunShape[] shapes = [];
    private int oldest;

    public RunGate Gate { get; } = new(concurrentRuns);

    /// <summary>Runs on the calling thread if that is quick, and on a thread of <see cref="RunThreads"/> otherwise.</summary>
    /// <param name="owner">For whom; its runs leave the queue when it is disposed.</param>
    /// <param name="inputs">In any order.</param>
    /// <param name="outputs">Names; null for all.</param>
    /// <param name="ended">Called once the run touches nothing any more.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    public ValueTask<ModelOutputs> RunAsync(
        OnnxModel owner, IReadOnlyList<NamedTensor> inputs, IReadOnlyList<string>? outputs, Action ended, CancellationToken cancellationToken)
    {
        RunShape shape;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            inputs = signature.Check(inputs);
            shape = ShapeOf(inputs, outputs);
        }
        catch
        {
            ended();
            throw;
        }

        if (shape.Typical is > 0 and var typical && typical < Quick && Gate.TryEnter())
        {
            try
            {
                return new(Run(shape, inputs, cancellationToken));
            }
            finally
            {
                Leave();
                ended();
            }
        }

        var run = new QueuedRun(this, owner, shape, inputs, ended, cancellationToken);
        if (Gate.Enter(run))
            RunThreads.Shared.Start(run);
        else
            run.WatchQueue();
        return new(run.Task);
    }

    /// <summary>Runs here and now. The place is the caller's.</summary>
    public ModelOutputs Run(RunShape shape, IReadOnlyList<NamedTensor> inputs, CancellationToken cancellationToken)
    {
        if (!scratches.TryTake(out var scratch))
            scratch = new RunScratch(signature.Inputs.Count);
        var started = Stopwatch.GetTimestamp();
        try
        {
            for (var index = 0; index < inputs.Count; index++)
                scratch.Bind(index, inputs[index].Tensor, shape.Inputs[index]);
            ModelOutputs outputs;
            using (cancellationToken.UnsafeRegister(static state => ((RunScratch)state!).Terminate(), scratch))
                outputs = Invoke(shape, scratch);
            var took = Stopwatch.GetTimestamp() - started;
            shape.Observe(took);
            metrics.Observe(took);
            return outputs;
        }
        catch (OnnxRuntimeException error)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new InferenceException($"{name} failed: {error.Message}", error);
        }
        finally
        {
            scratch.Clear();
            scratches.Add(scratch);
        }
    }

    /// <summary>Finds what is known of the shapes of checked inputs.</summary>
    public RunShape ShapeOf(IReadOnlyList<NamedTensor> inputs, IReadOnlyList<string>? outputs)
    {
        var wanted = signature.PlacesOf(outputs);
        var known = Volatile.Read(ref shapes);
        return Find(known, inputs, wanted) ?? Add(inputs, wanted);
    }

    public void Dispose()
    {
        foreach (var shape in Volatile.Read(ref shapes))
            shape.Release();
        while (scratches.TryTake(out var scratch))
            scratch.Dispose();
    }

    // Whoever leaves here runs none of those that wait: they are not quick, or came from elsewhere.
    private void Leave()
    {
        if (Gate.Exit() is { } next)
            RunThreads.Shared.Start(next);
    }

    private ModelOutputs Invoke(RunShape shape, RunScratch scratch)
    {
        if (shape.Rent() is not { } set)
            return Allocated(shape, scratch);
        try
        {
            session.Run(scratch.Options, signature.InputNames, scratch.Inputs, shape.OutputNames, set.Values);
            return new ModelOutputs(set.Tensors, set);
        }
        catch (OnnxRuntimeException) when (!scratch.Options.Terminate)
        {
            set.Dispose();

            // Perhaps because an output had another shape than the last time. If it fails once more it was not that.
            var outputs = Allocated(shape, scratch);
            shape.Forget();
            return outputs;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    private ModelOutputs Allocated(RunShape shape, RunScratch scratch)
    {
        var values = (IReadOnlyList<OrtValue>)session.Run(scratch.Options, signature.InputNames, scratch.Inputs, shape.OutputNames);
        var tensors = new NamedTensor[values.Count];
        var memory = new IDisposable[values.Count];
        var learned = new LearnedOutput[values.Count];
        for (var index = 0; index < values.Count; index++)
        {
            var spec = signature.Outputs[shape.Wanted[index]];
            var tensor = OutputTensors.Over(spec.Type, values[index], out memory[index]);
            tensors[index] = new(spec.Name, tensor);
            learned[index] = new(spec.Type, tensor.Shape.ToArray());
        }

        shape.Learn(learned);
        return new ModelOutputs(tensors, new AllocatedOutputs(memory));
    }

    private static RunShape? Find(RunShape[] known, IReadOnlyList<NamedTensor> inputs, int[] wanted)
    {
        foreach (var shape in known)
        {
            if (Fits(shape.Inputs, inputs) && shape.Is(wanted))
                return shape;
        }

        return null;
    }

    private static bool Fits(long[][] lengths, IReadOnlyList<NamedTensor> inputs)
    {
        for (var index = 0; index < lengths.Length; index++)
        {
            if (!inputs[index].Tensor.Shape.SequenceEqual(lengths[index]))
                return false;
        }

        return true;
    }

    private RunShape Add(IReadOnlyList<NamedTensor> inputs, int[] wanted)
    {
        lock (guard)
        {
            if (Find(shapes, inputs, wanted) is { } found)
                return found;
            var shape = new RunShape(
                [.. inputs.Select(input => input.Tensor.Shape.ToArray())], wanted, [.. wanted.Select(place => signature.Outputs[place].Name)], budget);
            if (shapes.Length < MaxShapes)
            {
                Volatile.Write(ref shapes, [.. shapes, shape]);
                return shape;
            }

            var changed = shapes.ToArray();
            changed[oldest].Release();
            changed[oldest] = shape;
            oldest = (oldest + 1) % MaxShapes;
            Volatile.Write(ref shapes, changed);
            return shape;
        }
    }
}
