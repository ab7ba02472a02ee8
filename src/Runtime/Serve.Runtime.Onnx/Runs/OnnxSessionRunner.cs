using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using Serve.Runtime.Execution;
using Serve.Runtime.Onnx.Sessions;
using Serve.Runtime.Onnx.Telemetry;

namespace Serve.Runtime.Onnx.Runs;

/// <summary>Runs one session: validates the inputs, selects the thread, binds memory. Owns the profiles of its input shapes.</summary>
internal sealed class OnnxSessionRunner(InferenceSession session, OnnxModelSignature signature, int concurrentRuns, string name, OnnxSessionMetrics metrics) : IDisposable
{
    /// <summary>Shorter runs execute on the calling thread: handing them over would cost at least a tenth of the duration.</summary>
    private static readonly long Quick = Stopwatch.Frequency / 5000;

    /// <summary>Bounds the memory of a model whose input shapes vary without limit.</summary>
    private const int MaxShapes = 64;

    private const long MaxWaitingBytes = 64 << 20;

    private readonly ConcurrentBag<SessionRunBuffers> _scratches = [];
    private readonly OutputMemoryBudget _budget = new(MaxWaitingBytes);
    private readonly Lock _guard = new();
    private RunShapeProfile[] _shapes = [];
    private int _oldest;

    public SessionRunLimiter Gate { get; } = new(concurrentRuns);

    /// <summary>Runs on the calling thread if that is quick, and on a thread of the <see cref="DedicatedThreadPool"/> otherwise.</summary>
    /// <param name="owner">The model; disposing it removes its queued runs.</param>
    /// <param name="inputs">Input tensors, in any order.</param>
    /// <param name="outputs">Names of the outputs; null for all.</param>
    /// <param name="ended">Called when the run no longer uses the session.</param>
    /// <param name="cancellationToken">Cancels the run.</param>
    public ValueTask<ModelOutputs> RunAsync(
        OnnxModel owner, IReadOnlyList<NamedTensor> inputs, IReadOnlyList<string>? outputs, Action ended, CancellationToken cancellationToken)
    {
        RunShapeProfile shape;
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

        var run = new QueuedSessionRun(this, owner, shape, inputs, ended, cancellationToken);
        if (Gate.Enter(run))
            DedicatedThreadPool.Blocking.Start(run);
        else
            run.WatchQueue();
        return new(run.Task);
    }

    /// <summary>Runs on the calling thread. The caller has acquired a slot of <see cref="Gate"/>.</summary>
    public ModelOutputs Run(RunShapeProfile shape, IReadOnlyList<NamedTensor> inputs, CancellationToken cancellationToken)
    {
        if (!_scratches.TryTake(out var scratch))
            scratch = new SessionRunBuffers(signature.Inputs.Count);
        var started = Stopwatch.GetTimestamp();
        try
        {
            for (var index = 0; index < inputs.Count; index++)
                scratch.Bind(index, inputs[index].Tensor, shape.Inputs[index]);
            ModelOutputs outputs;
            using (cancellationToken.UnsafeRegister(static state => ((SessionRunBuffers)state!).Terminate(), scratch))
                outputs = Invoke(shape, scratch);
            if (shape.Computed.Length < shape.Wanted.Length)
                outputs = WithPassedThrough(shape, inputs, outputs);
            var took = Stopwatch.GetTimestamp() - started;
            shape.Observe(took);
            metrics.Observe(took);
            return outputs;
        }
        catch (OnnxRuntimeException error)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw RunFailureClassifier.IsCausedByInputs(error) ? new BadInputException($"{name} failed: {error.Message}", error) : new InferenceException($"{name} failed: {error.Message}", error);
        }
        finally
        {
            scratch.Clear();
            _scratches.Add(scratch);
        }
    }

    /// <summary>Finds or creates the profile for the shapes of validated inputs.</summary>
    public RunShapeProfile ShapeOf(IReadOnlyList<NamedTensor> inputs, IReadOnlyList<string>? outputs)
    {
        var wanted = signature.PlacesOf(outputs);
        var known = Volatile.Read(ref _shapes);
        return Find(known, inputs, wanted) ?? Add(inputs, wanted);
    }

    public void Dispose()
    {
        foreach (var shape in Volatile.Read(ref _shapes))
            shape.Release();
        while (_scratches.TryTake(out var scratch))
            scratch.Dispose();
    }

    // Runs on the calling thread never continue with queued runs, which may be longer.
    private void Leave()
    {
        if (Gate.Exit() is { } next)
            DedicatedThreadPool.Blocking.Start(next);
    }

    private ModelOutputs Invoke(RunShapeProfile shape, SessionRunBuffers scratch)
    {
        if (shape.Computed.Length == 0)
            return new ModelOutputs([]);
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

            // An output may have another shape than in the last run. If the run fails again, that was not the cause.
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

    private ModelOutputs Allocated(RunShapeProfile shape, SessionRunBuffers scratch)
    {
        var values = (IReadOnlyList<OrtValue>)session.Run(scratch.Options, signature.InputNames, scratch.Inputs, shape.OutputNames);
        var tensors = new NamedTensor[values.Count];
        var memory = new IDisposable[values.Count];
        var learned = new LearnedOutputShape[values.Count];
        var canBind = true;
        for (var index = 0; index < values.Count; index++)
        {
            var spec = signature.Outputs[shape.Computed[index]];
            var isTensor = values[index].OnnxType == OnnxValueType.ONNX_TYPE_TENSOR;
            canBind &= isTensor;
            var tensor = isTensor
                ? OutputTensorFactory.Over(spec.Type, values[index], out memory[index]) : ClassProbabilityTable.Read(spec.Name, values[index], out memory[index]);
            tensors[index] = new(spec.Name, tensor);
            learned[index] = new(spec.Type, tensor.Shape.ToArray());
        }

        if (canBind)
            shape.Learn(learned);
        return new ModelOutputs(tensors, new AllocatedRunOutputs(memory));
    }

    // The memory of the request may be reused as soon as the run has ended, so outputs that are inputs are copies.
    private ModelOutputs WithPassedThrough(RunShapeProfile shape, IReadOnlyList<NamedTensor> inputs, ModelOutputs computed)
    {
        var tensors = new NamedTensor[shape.Wanted.Length];
        var next = 0;
        for (var index = 0; index < tensors.Length; index++)
        {
            tensors[index] = signature.InputOf(shape.Wanted[index]) is >= 0 and var input
                ? new(inputs[input].Name, OutputTensorFactory.Copy(inputs[input].Tensor)) : computed[next++];
        }

        return new ModelOutputs(tensors, computed);
    }

    private static RunShapeProfile? Find(RunShapeProfile[] known, IReadOnlyList<NamedTensor> inputs, int[] wanted)
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

    private RunShapeProfile Add(IReadOnlyList<NamedTensor> inputs, int[] wanted)
    {
        lock (_guard)
        {
            if (Find(_shapes, inputs, wanted) is { } found)
                return found;
            var computed = Array.FindAll(wanted, place => signature.InputOf(place) < 0);
            var shape = new RunShapeProfile(
                [.. inputs.Select(input => input.Tensor.Shape.ToArray())], wanted, computed, [.. computed.Select(place => signature.Outputs[place].Name)], _budget);
            if (_shapes.Length < MaxShapes)
            {
                Volatile.Write(ref _shapes, [.. _shapes, shape]);
                return shape;
            }

            var changed = _shapes.ToArray();
            changed[_oldest].Release();
            changed[_oldest] = shape;
            _oldest = (_oldest + 1) % MaxShapes;
            Volatile.Write(ref _shapes, changed);
            return shape;
        }
    }
}
