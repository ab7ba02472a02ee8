using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Inference;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>inference_grpc.md "Inference" and "Tensor Data": raw and typed contents, and their differences. The streaming call belongs to the sequence extension.</summary>
public sealed class GrpcContentsTests(InferenceTestNode node) : SpecificationChapter(node)
{
    [Fact]
    public async Task Raw_EveryDatatype_RoundTripsInOrder()
    {
        var answer = await Node.Rpc.ModelInferAsync(InferenceSamples.Raw());
        Assert.Equal(InferenceSamples.All.Length, answer.Outputs.Count);
        Assert.Equal(answer.Outputs.Count, answer.RawOutputContents.Count);
        foreach (var (output, raw) in answer.Outputs.Zip(answer.RawOutputContents))
            Assert.Equal(InferenceSamples.All.Single(sample => sample.Datatype == output.Datatype).Bytes, raw.ToByteArray());
    }

    [Fact]
    public async Task Raw_Outputs_HaveNoContents() => Assert.All((await Node.Rpc.ModelInferAsync(InferenceSamples.Raw())).Outputs, output => Assert.Null(output.Contents));

    [Fact]
    public async Task Raw_WithTypedContents_InvalidArgument()
    {
        var request = InferenceSamples.Raw();
        request.Inputs[0].Contents = new() { BoolContents = { true, false } };
        await FailsAsync("input 'in_bool': contents and raw_input_contents are mutually exclusive.", request);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task Raw_CountDiffersFromInputs_InvalidArgument(int more)
    {
        var request = InferenceSamples.Raw();
        if (more > 0)
            request.RawInputContents.Add(ByteString.Empty);
        else
            request.RawInputContents.RemoveAt(0);
        await FailsAsync($"raw_input_contents must have one entry per input, but has {14 + more} for 14 inputs.", request);
    }

    [Fact]
    public async Task Raw_SizeMismatch_InvalidArgument()
    {
        var request = InferenceSamples.Raw();
        request.RawInputContents[2] = ByteString.CopyFrom(1, 2, 3);
        await FailsAsync("input 'in_uint16': UINT16[2] requires 4 bytes, but has 3.", request);
    }

    [Theory]
    [InlineData("FP16")]
    [InlineData("BF16")]
    public async Task Typed_SmallFloats_MustBeRaw(string datatype)
    {
        var request = InferenceSamples.Raw();
        request.RawInputContents.Clear();
        foreach (var input in request.Inputs)
            input.Contents = InferenceSamples.Contents(input.Datatype, JsonNode.Parse(InferenceSamples.All.Single(sample => sample.Datatype == input.Datatype).Json)!.AsArray());
        if (datatype == "BF16")
            request.Inputs.RemoveAt(9);
        await FailsAsync($"input 'in_{InferenceSamples.Name(datatype)}': {datatype} has no typed contents; send raw_input_contents.", request);
    }

    [Fact]
    public async Task Typed_Outputs_AreTyped()
    {
        var answer = await Node.Rpc.ModelInferAsync(InferenceSamples.Digits());
        Assert.Equal([3L], answer.Outputs[0].Contents.Int64Contents);
        Assert.Equal(10, answer.Outputs[1].Contents.Fp32Contents.Count);
        Assert.Empty(answer.RawOutputContents);
    }

    [Fact]
    public async Task Typed_SizeMismatch_InvalidArgument()
    {
        var request = InferenceSamples.Digits();
        request.Inputs[0].Contents.Fp32Contents.RemoveAt(0);
        await FailsAsync("input 'pixels': FP32[1,64] has 64 elements, but its field of contents has 63.", request);
    }

    [Fact]
    public async Task Typed_OtherField_InvalidArgument()
    {
        var request = InferenceSamples.Digits();
        request.Inputs[0].Contents = new() { Fp64Contents = { new double[64] } };
        await FailsAsync("its field of contents has 0, other fields 64.", request);
    }

    [Theory]
    [InlineData("INT8", 128)]
    [InlineData("INT16", -32769)]
    [InlineData("UINT8", 256)]
    [InlineData("UINT16", 65536)]
    public async Task Typed_NumberOutOfRange_InvalidArgument(string datatype, int number)
    {
        var contents = number < 0 || datatype[0] == 'I' ? new InferTensorContents { IntContents = { number } } : new() { UintContents = { (uint)number } };
        var input = new ModelInferRequest.Types.InferInputTensor { Name = "x", Datatype = datatype, Shape = { 1 }, Contents = contents };
        await FailsAsync($"input 'x': contents have a number out of range for {datatype}.", new() { ModelName = "types", Inputs = { input } });
    }

    [Fact]
    public async Task Typed_InvalidUtf8_InvalidArgument()
    {
        var input = new ModelInferRequest.Types.InferInputTensor { Name = "x", Datatype = "BYTES", Shape = { 1 }, Contents = new() { BytesContents = { ByteString.CopyFrom(0xFF) } } };
        await FailsAsync("input 'x': contents have a string that is not valid UTF-8.", new() { ModelName = "types", Inputs = { input } });
    }

    [Fact]
    public async Task Neither_RawNorTyped_InvalidArgument()
    {
        var request = InferenceSamples.Digits();
        request.Inputs[0].Contents = null;
        await FailsAsync("input 'pixels': FP32[1,64] has 64 elements, but its field of contents has 0.", request);
    }

    [Fact]
    public async Task ModelName_Missing_InvalidArgument()
    {
        var request = InferenceSamples.Digits();
        request.ModelName = "";
        await FailsAsync("bytes of the request have no model_name.", request);
    }

    [Fact]
    public async Task Message_Compressed_IsDecompressed()
    {
        var answer = await Node.Rpc.ModelInferAsync(InferenceSamples.Digits(), new Grpc.Core.Metadata { { "grpc-internal-encoding-request", "gzip" } });
        Assert.Equal([3L], answer.Outputs[0].Contents.Int64Contents);
    }

    [Fact]
    public async Task SharedMemory_InputOrOutput_InvalidArgument()
    {
        var request = InferenceSamples.Digits();
        request.Inputs[0].Parameters["shared_memory_region"] = new() { StringParam = "r" };
        await FailsAsync("input 'pixels': shared memory regions are not supported;", request);
        request = InferenceSamples.Digits();
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "label", Parameters = { ["shared_memory_region"] = new() { StringParam = "r" } } });
        await FailsAsync("output 'label': the parameter shared_memory_region is not supported.", request);
    }

    [Fact]
    public async Task Stream_Error_DoesNotEndStream()
    {
        using var call = Node.Rpc.ModelStreamInfer();
        var wrong = InferenceSamples.Digits();
        wrong.Inputs[0].Name = "wrong";
        var number = 0;
        foreach (var request in new[] { InferenceSamples.Digits(), wrong, InferenceSamples.Digits() })
        {
            request.Id = $"request {number++}";
            await call.RequestStream.WriteAsync(request);
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            if (request == wrong)
                Assert.Contains("The model has no input 'wrong'", call.ResponseStream.Current.ErrorMessage, StringComparison.Ordinal);
            else
                Assert.Equal(3, BitConverter.ToInt64(call.ResponseStream.Current.InferResponse.RawOutputContents[0].Span));
            Assert.Equal(request.Id, call.ResponseStream.Current.InferResponse.Id);
            Assert.True(call.ResponseStream.Current.InferResponse.Parameters["triton_final_response"].BoolParam);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Stream_SeveralModels_OnlyFirstIsServed()
    {
        using var call = Node.Rpc.ModelStreamInfer();
        var other = InferenceSamples.Digits();
        other.ModelName = "text";
        foreach (var request in new[] { InferenceSamples.Digits(), other })
            await call.RequestStream.WriteAsync(request);
        await call.RequestStream.CompleteAsync();
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Empty(call.ResponseStream.Current.ErrorMessage);
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Contains("The request is for model 'text', but its call is bound to model 'digits'", call.ResponseStream.Current.ErrorMessage, StringComparison.Ordinal);
    }

    private async Task FailsAsync(string text, ModelInferRequest request)
    {
        var error = await Assert.ThrowsAsync<RpcException>(async () => await Node.Rpc.ModelInferAsync(request));
        Assert.True(error.StatusCode == StatusCode.InvalidArgument && error.Status.Detail.Contains(text, StringComparison.Ordinal), error.ToString());
    }
}
