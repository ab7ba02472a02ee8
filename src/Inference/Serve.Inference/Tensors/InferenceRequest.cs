using System.Buffers;

namespace Serve.Inference.Tensors;

/// <summary>One request for inference, read from whatever form it came in. Owns the arrays its tensors lie in.</summary>
internal sealed class InferenceRequest
{
    private List<IDisposable>? _rented;

    /// <summary>The client's own id of it; null when it has none.</summary>
    public string? Id { get; set; }

    /// <summary>The version the message itself asks for, where it can; null or empty to leave the choice to the server.</summary>
    public string? Version { get; set; }

    /// <summary>Whether outputs go as bytes when they say nothing else.</summary>
    public bool BinaryOutputs { get; set; }

    public List<NamedTensor> Inputs { get; } = [];

    /// <summary>Empty for all.</summary>
    public List<RequestedModelOutput> Outputs { get; } = [];

    /// <summary>An array that goes back to its pool with <see cref="Release"/>.</summary>
    public Memory<T> Rent<T>(int count)
    {
        if (count == 0)
            return Memory<T>.Empty;
        // What holds references would keep them alive in the pool.
        if (typeof(T) == typeof(string))
            return new T[count];
        var array = new RentedArray<T>(count);
        (_rented ??= []).Add(array);
        return array.Memory;
    }

    public void Own(IDisposable memory) => (_rented ??= []).Add(memory);

    /// <summary>Gives the arrays back. Only when nothing can read them any longer: after a run that was given up they are left to the garbage collector.</summary>
    public void Release()
    {
        foreach (var array in _rented ?? [])
            array.Dispose();
        _rented = null;
    }

    /// <summary>The names of the outputs wanted; null for all.</summary>
    public string[]? OutputNames()
    {
        if (Outputs.Count == 0)
            return null;
        var names = new string[Outputs.Count];
        for (var index = 0; index < names.Length; index++)
            names[index] = Outputs[index].Name;
        return names;
    }

    /// <summary>Holds the request against what the model takes and gives.</summary>
    /// <exception cref="BadInputException">It does not fit; names the tensor, what was expected and what came.</exception>
    public void Validate(OnnxModel model)
    {
        for (var index = 0; index < Inputs.Count; index++)
        {
            var (name, tensor) = Inputs[index];
            var spec = Find(model.Inputs, name)
                ?? throw new BadInputException($"The model has no input '{name}'. It takes {string.Join("; ", model.Inputs)}.");
            if (tensor.Type != spec.Type || !spec.Fits(tensor.Shape))
                throw new BadInputException($"input '{name}': the model takes {TensorTypes.NameOf(spec.Type)}[{string.Join(",", spec.Shape)}]; {tensor} came.");
            for (var earlier = 0; earlier < index; earlier++)
            {
                if (Inputs[earlier].Name == name)
                    throw new BadInputException($"input '{name}' came twice.");
            }
        }

        if (Inputs.Count != model.Inputs.Count)
        {
            var missing = model.Inputs.Where(spec => Inputs.All(input => input.Name != spec.Name));
            throw new BadInputException($"The model also takes {string.Join("; ", missing)}; it came without.");
        }

        CheckOutputs(model);
    }

    /// <summary>How many inferences it is: the first length of a model that takes several at once.</summary>
    public long BatchSize(OnnxModel model) =>
        model.Inputs.Count > 0 && model.Inputs[0].HasBatch && Inputs[0].Tensor.Shape.Length > 0 ? Inputs[0].Tensor.Shape[0] : 1;

    private void CheckOutputs(OnnxModel model)
    {
        for (var index = 0; index < Outputs.Count; index++)
        {
            var name = Outputs[index].Name;
            var spec = Find(model.Outputs, name)
                ?? throw new BadInputException($"The model has no output '{name}'. It gives {string.Join("; ", model.Outputs)}.");
            if (Outputs[index].Classes > 0 && !ClassificationOutputs.CanRank(spec.Type))
                throw new BadInputException($"output '{name}': {TensorTypes.NameOf(spec.Type)} has no largest elements, which the parameter classification asks for.");
            for (var earlier = 0; earlier < index; earlier++)
            {
                if (Outputs[earlier].Name == name)
                    throw new BadInputException($"output '{name}' is asked for twice.");
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
