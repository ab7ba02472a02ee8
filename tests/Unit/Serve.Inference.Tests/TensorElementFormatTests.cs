using Inference;
using Serve.Inference.Tensors;

namespace Serve.Inference.Tests;

/// <summary>Typed gRPC contents of each datatype, read and written.</summary>
public sealed class TensorElementFormatTests
{
    /// <summary>Tensors and their contents in protobuf's JSON form.</summary>
    public static TheoryData<Tensor, string> Typed { get; } = new()
    {
        { Tensor.Of([true, false]), """{"boolContents":[true,false]}""" },
        { Tensor.Of([(byte)0, byte.MaxValue]), """{"uintContents":[0,255]}""" },
        { Tensor.Of([(ushort)0, ushort.MaxValue]), """{"uintContents":[0,65535]}""" },
        { Tensor.Of([0u, uint.MaxValue]), """{"uintContents":[0,4294967295]}""" },
        { Tensor.Of([0ul, ulong.MaxValue]), """{"uint64Contents":[0,"18446744073709551615"]}""" },
        { Tensor.Of([sbyte.MinValue, sbyte.MaxValue]), """{"intContents":[-128,127]}""" },
        { Tensor.Of([short.MinValue, short.MaxValue]), """{"intContents":[-32768,32767]}""" },
        { Tensor.Of([int.MinValue, int.MaxValue]), """{"intContents":[-2147483648,2147483647]}""" },
        { Tensor.Of([long.MinValue, long.MaxValue]), """{"int64Contents":["-9223372036854775808","9223372036854775807"]}""" },
        { Tensor.Of([0.1f, float.NaN]), """{"fp32Contents":[0.1,"NaN"]}""" },
        { Tensor.Of([0.1, double.NegativeInfinity]), """{"fp64Contents":[0.1,"-Infinity"]}""" },
        { Tensor.Of(["", "größer"]), """{"bytesContents":["","Z3LDtsOfZXI="]}""" },
    };

    [Theory]
    [MemberData(nameof(Typed))]
    public void Contents_EveryDatatype_UsesItsField(Tensor tensor, string json)
    {
        var contents = InferTensorContents.Parser.ParseJson(json);
        var head = new InputTensorHeader("x") { Type = tensor.Type, Shape = [2] };
        Assert.Equal(contents, TensorElementFormat.Of(tensor.Type).WriteContents(tensor));
        // Compared in written form, since tensors have no equality.
        var read = TensorElementFormat.Of(tensor.Type).ReadContents(head, contents);
        Assert.Equal(tensor.Type, read.Type);
        Assert.Equal([2], read.Shape.ToArray());
        Assert.Equal(contents, TensorElementFormat.Of(read.Type).WriteContents(read));
    }

    [Fact]
    public void Contents_ScalarShape_ReadsOneElement() =>
        Assert.Equal([], TensorElementFormat.Of(TensorType.Float32).ReadContents(new("x") { Type = TensorType.Float32, Shape = [] }, new InferTensorContents { Fp32Contents = { 1 } }).Shape.ToArray());
}
