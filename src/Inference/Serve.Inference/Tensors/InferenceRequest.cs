using System.Buffers;
using Serve.Calls;

namespace Serve.Inference.Tensors;

/// <summary>A parsed inference request, whatever its transport. Owns the memory of its tensors.</summary>
internal sealed class InferenceRequest
{
    private List<IDisposable>? _rented;

    /// <summary>Gets or sets the client's id of the request; null if it has none.</summary>
    public string? Id { get; set; }

    /// <summary>Gets or sets the requested version; null or empty for the highest.</summary>
    public string? Version { get; set; }

    /// <summary>Gets or sets whether outputs are binary unless their own parameters differ.</summary>
    public bool BinaryOutputs { get; set; }

    /// <summary>Gets or sets deadline and priority.</summary>
    public CallUrgency Urgency { get; set; }

    public List<NamedTensor> Inputs { get; } = [];

    /// <summary>Gets the requested outputs; empty for all.</summary>
    public List<RequestedModelOutput> Outputs { get; } = [];

    /// <summary>
    /// Applies Triton's parameter <c>priority</c>: 1 is the highest, and 0 the default. The levels 1, 2, 3, … are the priorities 10, 9, 8, …
    /// </summary>
    public void ApplyPriority(ulong level)
    {
        if (level > 0)
            Urgency = Urgency with { Priority = (int)Math.Max(CallUrgency.MinPriority, CallUrgency.MaxPriority + 1 - (long)Math.Min(level, 100)) };
    }

    /// <summary>Applies Triton's parameter <c>timeout</c>; 0 is none.</summary>
    public void ApplyTimeout(ulong microseconds, TimeProvider time)
    {
        if (microseconds > 0)
            Urgency = Urgency.Within(TimeSpan.FromMicroseconds(Math.Min(microseconds, uint.MaxValue * 1000d)), time);
    }

    /// <summary>Rents memory until <see cref="Release"/>.</summary>
    public Memory<T> Rent<T>(int count)
    {
        if (count == 0)
            return Memory<T>.Empty;
        // A pooled array of references would keep them alive.
        if (typeof(T) == typeof(string))
            return new T[count];
        var array = new RentedArray<T>(count);
        (_rented ??= []).Add(array);
        return array.Memory;
    }

    public void Own(IDisposable memory) => (_rented ??= []).Add(memory);

    /// <summary>Returns the memory to its pools. Call it only when nothing can read the tensors; after an abandoned run, leave them to the garbage collector.</summary>
    public void Release()
    {
        foreach (var array in _rented ?? [])
            array.Dispose();
        _rented = null;
    }

    /// <summary>Returns the names of the requested outputs; null for all.</summary>
    public string[]? OutputNames()
    {
        if (Outputs.Count == 0)
            return null;
        var names = new string[Outputs.Count];
        for (var index = 0; index < names.Length; index++)
            names[index] = Outputs[index].Name;
        return names;
    }

    /// <summary>Validates the request against the inputs and outputs of the model.</summary>
    /// <exception cref="BadInputException">The request does not match the model; names the tensor, its expected and its actual type.</exception>
    public void Validate(OnnxModel model)
    {
        for (var index = 0; index < Inputs.Count; index++)
        {
            var (name, tensor) = Inputs[index];
            var spec = Find(model.Inputs, name)
                ?? throw new BadInputException($"The model has no input '{name}'. Its inputs: {string.Join("; ", model.Inputs)}.");
            if (tensor.Type != spec.Type || !spec.Fits(tensor.Shape))
                throw new BadInputException($"input '{name}' must be {TensorTypes.NameOf(spec.Type)}[{string.Join(",", spec.Shape)}], but was {tensor}.");
            for (var earlier = 0; earlier < index; earlier++)
            {
                if (Inputs[earlier].Name == name)
                    throw new BadInputException($"input '{name}' is given twice.");
            }
        }

        if (Inputs.Count != model.Inputs.Count)
        {
            var missing = model.Inputs.Where(spec => Inputs.All(input => input.Name != spec.Name));
            throw new BadInputException(Inputs.Count == 0
                ? $"The request has no inputs. The model's inputs: {string.Join("; ", model.Inputs)}."
                : $"The request has no value for the inputs {string.Join("; ", missing)}.");
        }

        CheckOutputs(model);
    }

    /// <summary>Returns the number of inferences: the first length if it is open in the model, otherwise 1.</summary>
    public long BatchSize(OnnxModel model) =>
        model.Inputs.Count > 0 && model.Inputs[0].HasBatch && Inputs[0].Tensor.Shape.Length > 0 ? Inputs[0].Tensor.Shape[0] : 1;

    private void CheckOutputs(OnnxModel model)
    {
        for (var index = 0; index < Outputs.Count; index++)
        {
            var name = Outputs[index].Name;
            var spec = Find(model.Outputs, name)
                ?? throw new BadInputException($"The model has no output '{name}'. Its outputs: {string.Join("; ", model.Outputs)}.");
            if (Outputs[index].Classes > 0 && !ClassificationOutputs.CanRank(spec.Type))
                throw new BadInputException($"output '{name}': {TensorTypes.NameOf(spec.Type)} has no order; the parameter classification requires a numeric datatype.");
            for (var earlier = 0; earlier < index; earlier++)
            {
                if (Outputs[earlier].Name == name)
                    throw new BadInputException($"output '{name}' is requested twice.");
            }
        }
    }

    private static TensorSpec? Find(IReadOnlyList<TensorSpec> specs, string name)
    {
        for (var index = 0; index < specs.Count; index++)
        {
            if (specs[index].Name == name)
                return specs[index];
        }

        return null;
    }

    private sealed class RentedArray<T>(int count) : IDisposable
    {
        private T[]? _array = ArrayPool<T>.Shared.Rent(count);

        public Memory<T> Memory => _array.AsMemory(0, count);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _array, null) is { } mine)
                ArrayPool<T>.Shared.Return(mine);
        }
    }
}

/// <summary>An output that a request selects.</summary>
/// <param name="Name">Name of the output.</param>
/// <param name="Binary">Whether it is returned as bytes; null for the default <c>binary_data_output</c> of the request.</param>
/// <param name="Classes">Number of its largest elements that replace the output; 0 for the output itself.</param>
internal readonly record struct RequestedModelOutput(string Name, bool? Binary, int Classes = 0);
