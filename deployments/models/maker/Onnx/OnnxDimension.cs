namespace ModelMaker.Onnx;

/// <summary>One axis of an input's or output's shape: a fixed length, or a name for a length that each call chooses.</summary>
public readonly record struct OnnxDimension(long Length, string? Name)
{
    /// <summary>An axis of a fixed length.</summary>
    public static implicit operator OnnxDimension(int length) => new(length, null);

    /// <summary>An axis whose length each call chooses; axes of one name are meant to be equally long.</summary>
    public static implicit operator OnnxDimension(string name) => new(-1, name);

    public override string ToString() => Name ?? $"{Length}";
}
