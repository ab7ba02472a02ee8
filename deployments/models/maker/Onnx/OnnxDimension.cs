namespace ModelMaker.Onnx;

/// <summary>An axis of a shape: a fixed length, or the name of an open length.</summary>
public readonly record struct OnnxDimension(long Length, string? Name)
{
    /// <summary>An axis of a fixed length.</summary>
    public static implicit operator OnnxDimension(int length) => new(length, null);

    /// <summary>An axis with an open length; axes with the same name have the same length.</summary>
    public static implicit operator OnnxDimension(string name) => new(-1, name);

    public override string ToString() => Name ?? $"{Length}";
}
